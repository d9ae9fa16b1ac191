//! The controls of the page: commands, and the policies for them.

use resilience_core::circuit_breaker;
use serde::Deserialize;

/// A command of the page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Command {
    action: Action,
    /// The name of the policy.
    name: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    ForceOpen,
    ForceClose,
    Disable,
    Reset,
}

/// Executes a command.
pub(super) fn apply(command: &Command) -> Result<(), String> {
    let Some(breaker) = circuit_breaker(&command.name) else {
        // Enough to recognize the name.
        let name: String = command.name.chars().take(200).collect();
        return Err(format!(
            "no annotated function has a circuit breaker `{}`; control a breaker by hand in code",
            name.escape_debug()
        ));
    };
    match command.action {
        Action::ForceOpen => breaker.force_open(),
        Action::ForceClose => breaker.force_close(),
        Action::Disable => breaker.disable(),
        Action::Reset => breaker.reset(),
    }
    Ok(())
}
