// Functions that the attribute cannot change, and arguments that an attempt cannot borrow.

use resilience::retry;

#[retry(clone(&text))]
//~ error at `(&text)`: expected plain names in parentheses; for a value write `clone = …`
fn clone_borrowed(text: String) -> Result<(), usize> {
    Err(text.len())
}

#[retry(clone(text))]
//~ error at `text`: `text` is a reference, and every attempt can use it; remove it from `clone`
fn clone_reference(text: &str) -> Result<(), usize> {
    Err(text.len())
}

#[retry(clone(txet))]
//~ error at `txet`: this function has no argument `txet`; did you mean `text`?
fn clone_unknown(text: String) -> Result<(), String> {
    Err(String::from(&text))
}

// Changes of one attempt must not reach the next attempt.
#[retry]
fn mut_argument(mut count: u32) -> Result<(), u32> {
//~ error at `count`: `count` is passed by value and `mut`, so a change in one attempt would reach the next; write `#[retry(clone(count))]` for a fresh value in each attempt, `#[retry(carry(count))]` to keep the changes, or remove `mut`
    count += 1;
    Err(count)
}

// A name with a capital is a binding as well.
#[retry]
fn mut_argument_with_a_capital(mut N: Vec<u32>) -> Result<usize, usize> {
//~ error at `N`: `N` is passed by value and `mut`, so a change in one attempt would reach the next; write `#[retry(clone(N))]` for a fresh value in each attempt, `#[retry(carry(N))]` to keep the changes, or remove `mut`
    N.push(1);
    Err(N.len())
}

// The function owns the values behind `ref mut`, but not the values behind `&mut`.
#[retry]
fn ref_mut_arguments(ref mut list: Vec<u32>, (_, ref mut count): (u32, u32)) -> Result<(), u32> {
//~ error at `list`: `list` is passed by value and bound by `ref mut`, so a change in one attempt would reach the next; remove `ref` and write `#[retry(clone(list))]` for a fresh value in each attempt, or take `&mut` to share the value
//~ error at `count`: `count` is passed by value and bound by `ref mut`, so a change in one attempt would reach the next; remove `ref` and write `#[retry(clone(count))]` for a fresh value in each attempt, or take `&mut` to share the value
    list.push(*count);
    *count += 1;
    Err(*count)
}

mod on_impl {
    use resilience::retry;

    struct Client;

    #[retry]
    impl Client {
    //~ error at `impl Client {…`: `#[retry]` needs a function or a method; write the attribute above the methods inside
        fn call(&self) -> Result<(), ()> {
            Err(())
        }
    }
}

mod mut_borrows {
    use resilience::retry;

    struct Items<'a>(&'a mut Vec<u32>);

    impl Items<'_> {
        #[retry]
        fn of_self(&mut self) -> Option<&u32> {
        //~ error at `-> Option<&u32>`: `#[retry]` cannot return a borrow of a `&mut` argument: a failed attempt would keep the borrow that the next attempt needs; return an owned value
            self.0.first()
        }

        #[retry]
        fn of_typed_self(self: &mut Self) -> Option<&u32> {
        //~ error at `-> Option<&u32>`: `#[retry]` cannot return a borrow of a `&mut` argument: a failed attempt would keep the borrow that the next attempt needs; return an owned value
            self.0.first()
        }

        #[retry]
        fn by_name<'a>(&self, items: &'a mut Vec<u32>) -> Option<(u32, &'a u32)> {
        //~ error at `-> Option<(u32, &'a u32)>`: `#[retry]` cannot return a borrow of a `&mut` argument: a failed attempt would keep the borrow that the next attempt needs; return an owned value
            items.first().map(|item| (7, item))
        }
    }

    #[retry]
    fn in_a_list<'a>(items: &'a mut Vec<u32>) -> Option<Box<[&'a u32]>> {
    //~ error at `-> Option<Box<[&'a u32]>>`: `#[retry]` cannot return a borrow of a `&mut` argument: a failed attempt would keep the borrow that the next attempt needs; return an owned value
        Some(items.iter().collect())
    }

    #[retry]
    fn in_an_array(items: &mut Vec<u32>) -> Option<[&u32; 1]> {
    //~ error at `-> Option<[&u32; 1]>`: `#[retry]` cannot return a borrow of a `&mut` argument: a failed attempt would keep the borrow that the next attempt needs; return an owned value
        items.first().map(|item| [item])
    }

    #[retry]
    fn in_parentheses(items: &mut Vec<u32>) -> Option<(&u32)> {
    //~ error at `-> Option<(&u32)>`: `#[retry]` cannot return a borrow of a `&mut` argument: a failed attempt would keep the borrow that the next attempt needs; return an owned value
        items.first()
    }

    #[retry]
    fn in_a_type(items: &mut Vec<u32>) -> Option<Items<'_>> {
    //~ error at `-> Option<Items<'_>>`: `#[retry]` cannot return a borrow of a `&mut` argument: a failed attempt would keep the borrow that the next attempt needs; return an owned value
        Some(Items(items))
    }

    macro_rules! from_macro {
        ($ty:ty) => {
            #[retry]
            fn in_a_group(items: &mut Vec<u32>) -> Option<$ty> {
            //~ error at `-> Option<$ty>`: `#[retry]` cannot return a borrow of a `&mut` argument: a failed attempt would keep the borrow that the next attempt needs; return an owned value
                items.first()
            }
        };
    }

    from_macro!(&u32);
}

#[retry]
fn returns_mut_borrow(items: &mut Vec<u32>) -> Result<&mut u32, ()> {
//~ error at `-> Result<&mut u32, ()>`: `#[retry]` cannot return a borrow of a `&mut` argument: a failed attempt would keep the borrow that the next attempt needs; return an owned value
    items.first_mut().ok_or(())
}

#[retry(clone())]
//~ error at `clone`: `clone` needs the arguments to clone: `clone(body)`
fn clone_nothing(text: String) -> Result<(), usize> {
    Err(text.len())
}

#[retry]
unsafe extern "C" fn variadic(_: u32, _: ...) -> Result<(), ()> {
//~ error at `...`: `#[retry]` does not support a variadic function
//~ rustc: error[E0658] at `unsafe extern "C" fn variadic(_: u32, _: ...) -> Result<(), ()> {…`: C-variadic functions are unstable
//~ rustc: note: see issue #44930 <https://github.com/rust-lang/rust/issues/44930> for more information
    Err(())
}
