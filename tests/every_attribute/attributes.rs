// Every attribute of the family, and how often a body under it may fail before it succeeds without
// the caller noticing. A new attribute is one line here.

suites!(retry, #[::resilience::retry(attempts = 3, base_delay = "1ms")], 2);
