//! Models of concurrent calls of a rate limiter, checked by loom.

use loom::sync::Arc;
use loom::thread;

use core::task::Waker;
use core::time::Duration;

use super::gcra::Gcra;
use super::pace::{Pace, Queued, Request};

fn pace(burst: u32) -> Pace {
    Pace::new(1, Duration::from_nanos(10), burst, Duration::from_nanos(99))
}

fn request(burst: u32, wait: u64) -> Request {
    Request { pace: pace(burst), width: 10, wait }
}

fn queue(gcra: &Gcra) -> Queued {
    gcra.acquire_or_queue(request(1, 99), Waker::noop().clone(), || 100).unwrap().unwrap()
}

#[test]
fn a_grant_is_taken_once() {
    loom::model(|| {
        let gcra = Arc::new(Gcra::new());
        let take =
            |gcra: &Gcra| (0..2).filter(|_| gcra.try_acquire(&pace(2), 10, || 100).is_ok()).count();
        let other = {
            let gcra = Arc::clone(&gcra);
            thread::spawn(move || take(&gcra))
        };
        let taken = take(&gcra) + other.join().unwrap();
        assert_eq!(taken, 2);
        assert_eq!(gcra.try_acquire(&pace(2), 10, || 100), Err(10));
    });
}

/// Two reservations are kept, and a third is returned at any moment. All positions are used.
#[test]
fn a_returned_reservation_is_taken_once() {
    loom::model(|| {
        let gcra = Arc::new(Gcra::new());
        // The queue exists: loom does not know the order that its creation guarantees.
        let _ = gcra.extra();
        let take = |gcra: &Gcra| gcra.reserve(request(1, 99), || 100).unwrap();
        let returning = {
            let gcra = Arc::clone(&gcra);
            thread::spawn(move || {
                gcra.release(pace(1), take(&gcra), || 100);
                take(&gcra)
            })
        };
        let mut kept = vec![take(&gcra).turn, take(&gcra).turn];
        kept.push(returning.join().unwrap().turn);
        kept.sort_unstable();
        assert!(kept.windows(2).all(|pair| pair[1] - pair[0] >= 10), "{kept:?}");
        // A call that looks at the holes before the return, and at the end after the return,
        // may leave a hole.
        assert!(kept[2] <= 130, "{kept:?}");
    });
}

/// A waiting call leaves while a call behind and a call without a wait come.
#[test]
fn the_turn_of_a_leaving_call_is_used_once() {
    loom::model(|| {
        let gcra = Arc::new(Gcra::new());
        gcra.try_acquire(&pace(1), 10, || 100).unwrap();
        let leaving = queue(&gcra);
        let other = {
            let gcra = Arc::clone(&gcra);
            thread::spawn(move || gcra.leave(pace(1), leaving.id, || 100))
        };
        let behind = queue(&gcra);
        other.join().unwrap();
        let taken = gcra.take_end(request(1, 99), || 100).unwrap();
        assert_eq!(taken.turn, 120, "two calls are in front");
        assert_eq!(gcra.poll(pace(1), behind.id, Waker::noop().clone(), || 109), Some(110));
        assert_eq!(gcra.poll(pace(1), behind.id, Waker::noop().clone(), || 110), None);
    });
}

/// The end of the line moves back while a call without a wait takes the end.
#[test]
fn the_end_moves_back_and_forward_without_an_overlap() {
    loom::model(|| {
        let gcra = Arc::new(Gcra::new());
        gcra.try_acquire(&pace(1), 10, || 100).unwrap();
        let leaving = queue(&gcra);
        let other = {
            let gcra = Arc::clone(&gcra);
            thread::spawn(move || gcra.leave(pace(1), leaving.id, || 100))
        };
        let first = gcra.take_end(request(1, 99), || 100).unwrap();
        other.join().unwrap();
        let second = gcra.reserve(request(1, 99), || 100).unwrap();
        let mut turns = [first.turn, second.turn];
        turns.sort_unstable();
        assert_eq!(turns, [110, 120]);
    });
}
