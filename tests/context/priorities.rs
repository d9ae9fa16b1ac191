//! The words of priorities, in headers.

use resilience::context::Priority;

const ALL: [Priority; 4] =
    [Priority::Sheddable, Priority::SheddablePlus, Priority::Critical, Priority::CriticalPlus];

#[test]
fn a_priority_is_read_from_its_word_in_any_case() {
    for priority in ALL {
        assert_eq!(priority.to_string().parse(), Ok(priority));
        assert_eq!(priority.as_str().to_uppercase().parse(), Ok(priority));
    }
    assert!(ALL.is_sorted());
}

#[test]
fn another_word_is_an_error_with_the_valid_words() {
    for word in ["", "critical ", "criticality", "sheddable_plus"] {
        let error = word.parse::<Priority>().unwrap_err().to_string();
        assert!(ALL.iter().all(|known| error.contains(&format!("`{known}`"))), "{error}");
    }
}
