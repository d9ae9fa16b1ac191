//! `unsafe fn`: the body stays an unsafe context.

macro_rules! unsafe_shapes {
    (#[$attribute:meta], $failures:expr) => {
        mod unsafe_shapes {
            use std::cell::Cell;

            fn next(calls: &Cell<u32>) -> Result<(), u32> {
                calls.set(calls.get() + 1);
                if calls.get() <= $failures { Err(calls.get()) } else { Ok(()) }
            }

            /// # Safety
            /// `text` must be valid.
            #[$attribute]
            unsafe fn blocking(text: *const u8, calls: &Cell<u32>) -> Result<u8, u32> {
                next(calls)?;
                // Edition 2021 needs no `unsafe` block.
                Ok(*text)
            }

            /// # Safety
            /// `text` must have a first element.
            #[$attribute]
            async unsafe fn waiting(text: &[u8], calls: &Cell<u32>) -> Result<u8, u32> {
                next(calls)?;
                Ok(*text.get_unchecked(0))
            }

            #[$attribute]
            extern "C-unwind" fn foreign(calls: &Cell<u32>) -> Option<std::num::NonZeroU32> {
                next(calls).ok()?;
                std::num::NonZeroU32::new(calls.get())
            }

            #[test]
            fn unsafe_functions() {
                let text = b"x";
                let calls = Cell::default;
                assert_eq!(unsafe { blocking(text.as_ptr(), &calls()) }, Ok(b'x'));
                let calls = Cell::new(0);
                let future = unsafe { waiting(text, &calls) };
                assert_eq!(futures::executor::block_on(future), Ok(b'x'));
                calls.set(0);
                assert!(foreign(&calls).is_some());
            }
        }
    };
}
