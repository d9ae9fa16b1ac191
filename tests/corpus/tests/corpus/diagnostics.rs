//! The diagnostics of rustc and Clippy.

use std::env;

use serde_json::Value;

use crate::compiler::{compile, folder, rustc};
use crate::findings::Findings;
use crate::variants::write_crate;

/// Groups of lints, and lints of no group that examine whole functions.
const LINTS: &str = "
    missing_docs, missing_debug_implementations, unreachable_pub, unused, nonstandard_style,
    future_incompatible, rust_2018_idioms, unsafe_code, single_use_lifetimes, trivial_casts,
    trivial_numeric_casts, unused_lifetimes, unused_qualifications, unused_results,
    let_underscore_drop, redundant_lifetimes, unit_bindings, unused_import_braces,
    clippy::all, clippy::pedantic, clippy::nursery, clippy::shadow_reuse, clippy::shadow_same,
    clippy::shadow_unrelated, clippy::let_underscore_must_use, clippy::default_trait_access,
    clippy::if_then_some_else_none, clippy::min_ident_chars, clippy::semicolon_outside_block,
    clippy::semicolon_inside_block, clippy::missing_docs_in_private_items, clippy::unwrap_used,
    clippy::unwrap_in_result, clippy::panic_in_result_fn, clippy::question_mark_used,
    clippy::single_call_fn, clippy::missing_inline_in_public_items, clippy::impl_trait_in_params,
    clippy::multiple_inherent_impl, clippy::same_name_method, clippy::renamed_function_params,
    clippy::let_underscore_untyped, clippy::pattern_type_mismatch, clippy::allow_attributes,
    clippy::allow_attributes_without_reason, clippy::print_stdout, clippy::unimplemented,
    clippy::string_add, clippy::arithmetic_side_effects, clippy::ref_patterns,
    clippy::self_named_module_files, clippy::large_stack_frames, clippy::wildcard_enum_match_arm,
    clippy::infinite_loop, clippy::rest_pat_in_fully_bound_structs, clippy::todo, clippy::panic,
    clippy::redundant_type_annotations, clippy::else_if_without_else, clippy::as_conversions,
";

/// Lints that are silent because an attribute changes the fact that they report.
const CHANGED: &[&str] = &[
    // A function with an attribute cannot be `const`.
    "clippy::missing_const_for_fn",
    // An attempt borrows a `&mut` argument exclusively, so that the future is `Send` without `Sync`.
    "clippy::needless_pass_by_ref_mut",
    // The attribute may return an error of its own.
    "clippy::unnecessary_wraps",
    // The attribute awaits.
    "clippy::unused_async",
];

#[test]
fn diagnostics_are_those_of_the_plain_function() {
    let rustc = rustc();
    let clippy = rustc.with_file_name("clippy-driver");
    if !clippy.exists() {
        assert!(env::var_os("RESILIENCE_CI").is_none(), "Clippy is missing");
        eprintln!("skipped: no Clippy beside {}", rustc.display());
        return;
    }
    let folder = folder("diagnostics");
    let root = write_crate(&folder, &format!("#![warn({LINTS})]\n"));
    let args = [
        "--crate-type=lib".to_owned(),
        "--error-format=json".to_owned(),
        format!("--emit=metadata={}", folder.join("out.rmeta").display()),
    ];
    let output = compile(&clippy, "2024", &root, &args);
    let mut findings = Findings::default();
    let mut errors = String::new();
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else {
            errors.push_str(line);
            continue;
        };
        if message["level"] == "error" {
            errors.push_str(message["rendered"].as_str().unwrap_or_default());
        }
        let code = message["code"]["code"].as_str().unwrap_or_default();
        let text = message["message"].as_str().unwrap_or_default();
        for span in message["spans"].as_array().into_iter().flatten() {
            if span["is_primary"] == true {
                let number = |key: &str| {
                    usize::try_from(span[key].as_u64().unwrap_or_default()).unwrap_or_default()
                };
                let at = (number("line_start"), number("column_start"));
                let file = span["file_name"].as_str().unwrap_or_default();
                findings.add(file, (at.0, at.1, format!("{code}: {text}")));
            }
        }
    }
    assert!(errors.is_empty(), "{errors}");
    assert!(findings.plain() > 200, "the corpus has mistakes of many kinds: {}", findings.plain());
    let report = findings.differences(|_, (_, _, text), without, with| {
        let code = text.split(": ").next().unwrap_or_default();
        without > with && CHANGED.contains(&code)
    });
    assert!(report.is_empty(), "\n{report}");
}
