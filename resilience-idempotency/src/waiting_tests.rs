use std::task::Wake;

use super::*;

fn subject() -> (StoreId, RecordKey, Fingerprint) {
    (StoreId::new(), RecordKey([1; 32]), Fingerprint([2; 32]))
}

fn enter(table: &'static Table, (store, key, fingerprint): Subject) -> Waiter {
    Waiter::enter(table, store, key, fingerprint)
}

fn subjects(table: &Table) -> usize {
    lock(&table.0).len()
}

#[cfg(not(resilience_loom))]
mod one_thread {
    use core::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    fn poll(waiter: &mut Waiter, woken: &Arc<Woken>) -> Poll<Turn> {
        waiter.poll(&mut Context::from_waker(&Waker::from(Arc::clone(woken))))
    }

    fn table() -> &'static Table {
        Box::leak(Box::new(Table::new()))
    }

    #[test]
    fn one_asks_and_the_others_are_told() {
        let (table, subject) = (table(), subject());
        let mut waiters = [0; 3].map(|_| (enter(table, subject), Arc::<Woken>::default()));
        let (first, others) = waiters.split_at_mut(1);
        assert!(matches!(poll(&mut first[0].0, &first[0].1), Poll::Ready(Turn::Ask)));
        for (waiter, woken) in &mut *others {
            assert!(poll(waiter, woken).is_pending());
        }
        first[0].0.tell(&Arc::from(*b"done"));
        // Whoever comes now asks for himself: the record may have changed since.
        let mut late = enter(table, subject);
        assert!(matches!(poll(&mut late, &first[0].1), Poll::Ready(Turn::Ask)));
        drop(late);
        let [first, others @ ..] = waiters;
        drop(first);
        for (mut waiter, woken) in others {
            assert_eq!(woken.0.load(SeqCst), 1);
            assert!(
                matches!(poll(&mut waiter, &woken), Poll::Ready(Turn::Done(bytes)) if *bytes == *b"done")
            );
        }
        assert_eq!(subjects(table), 0);
    }

    #[test]
    fn a_cancelled_waiter_leaves_nothing() {
        let (table, subject) = (table(), subject());
        let mut leader = enter(table, subject);
        let woken = Arc::<Woken>::default();
        assert!(matches!(poll(&mut leader, &woken), Poll::Ready(Turn::Ask)));
        for _ in 0..100 {
            let mut waiter = enter(table, subject);
            assert!(poll(&mut waiter, &woken).is_pending());
            assert!(poll(&mut waiter, &woken).is_pending());
        }
        assert_eq!(Arc::strong_count(&woken), 1, "no waker is left");
        assert_eq!(lock(&table.0)[&subject].waiters, 1);
        drop(leader);
        assert_eq!(subjects(table), 0);
    }

    #[test]
    fn nothing_is_left_by_many_threads() {
        let (table, subject) = (table(), subject());
        for _ in 0..200 {
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| drop(enter(table, subject)));
                }
            });
            assert_eq!(subjects(table), 0);
        }
    }
}

#[cfg(resilience_loom)]
mod interleavings {
    use loom::sync::Condvar;
    use loom::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use loom::thread;

    use super::*;

    struct Woken(Mutex<bool>, Condvar);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            *lock(&self.0) = true;
            self.1.notify_one();
        }
    }

    impl Woken {
        fn wait(&self) {
            let mut woken = lock(&self.0);
            while !*woken {
                woken = self.1.wait(woken).expect("no panic under the lock");
            }
            *woken = false;
        }
    }

    fn wait(waiter: &mut Waiter) -> Turn {
        let woken = Arc::new(Woken(Mutex::new(false), Condvar::new()));
        let waker = Waker::from(Arc::clone(&woken));
        loop {
            match waiter.poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(turn) => return turn,
                Poll::Pending => woken.wait(),
            }
        }
    }

    /// The first who asks goes away without an answer, the second has one: nobody waits for ever, nobody
    /// else asks while he is there, and nothing is left.
    fn check(threads: usize) {
        let subject = subject();
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(move || {
            let table: &'static Table = Box::leak(Box::new(Table::new()));
            let (asked, leading) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let waiters = (0..threads).map(|_| {
                let (asked, leading) = (Arc::clone(&asked), Arc::clone(&leading));
                move || {
                    let mut waiter = enter(table, subject);
                    if let Turn::Ask = wait(&mut waiter) {
                        let (others, before) =
                            (leading.fetch_add(1, SeqCst), asked.fetch_add(1, SeqCst));
                        // Whoever comes behind an answer has a room of his own.
                        assert!(others == 0 || before > 1, "two ask at once");
                        leading.fetch_sub(1, SeqCst);
                        if before > 0 {
                            waiter.tell(&Arc::from(*b"done"));
                        }
                    }
                }
            });
            let waiters: Vec<_> = waiters.collect();
            let others: Vec<_> = waiters.into_iter().map(thread::spawn).collect();
            others.into_iter().for_each(|other| other.join().expect("a waiter that ends"));
            assert_eq!(subjects(table), 0);
        });
    }

    #[test]
    fn two_waiters() {
        check(2);
    }

    #[test]
    fn three_waiters() {
        check(3);
    }
}
