//! Writes a result file of promptfoo (format 3) of about so many megabytes to standard output, always the same:
//! `cargo run --release --example promptfoo_file -- 500 > output.json`. `scripts/bench-import` imports such files.

use std::io::{self, BufWriter, Write};

use serde_json::{Value, json};

/// Prompts, each with each provider.
const COLUMNS: usize = 6;

fn main() -> io::Result<()> {
    let megabytes: usize = std::env::args().nth(1).and_then(|size| size.parse().ok()).unwrap_or(1);
    let mut out = BufWriter::new(io::stdout().lock());
    write!(out, "{{\n  \"evalId\": \"eval-generated-{megabytes}\",\n  \"results\": {{\n    \"version\": 3,\n    ")?;
    write!(out, "\"timestamp\": \"2026-11-23T05:48:29.584Z\",\n    \"prompts\": {},\n    \"results\": [", prompts())?;
    let (mut tests, mut written, mut passed) = (0, 0, 0);
    while written < megabytes * 1_000_000 {
        for column in 0..COLUMNS {
            let row = row(tests, column);
            passed += usize::from(row["success"] == true);
            let row = serde_json::to_string_pretty(&row)?;
            let comma = if written == 0 { "" } else { "," };
            write!(out, "{comma}\n{row}")?;
            written += row.len() + 2;
        }
        tests += 1;
    }
    let failed = tests * COLUMNS - passed;
    let stats = json!({"successes": passed, "failures": failed, "errors": 0, "durationMs": 60_000});
    write!(
        out,
        "\n    ],\n    \"stats\": {stats}\n  }},\n  \"config\": {{\"description\": \"A generated run\"}}\n}}\n"
    )?;
    out.flush()
}

fn prompts() -> Value {
    let column = |column: usize| json!({"raw": template(column), "label": format!("generated-{}", column % 3), "provider": provider(column)});
    (0..COLUMNS).map(column).collect()
}

fn template(column: usize) -> String {
    format!("You triage support tickets for {{{{product}}}}, in style {}.\nTicket: {{{{ticket}}}}", column % 3)
}

fn provider(column: usize) -> &'static str {
    if column < 3 { "openai:chat:small" } else { "openai:chat:large" }
}

/// A result as promptfoo writes it: about 6 kB, half of it repeated in the test.
fn row(test: usize, column: usize) -> Value {
    let ticket =
        format!("Ticket {test}: the invoice of «March» was charged twice, please refund one of them. ").repeat(8);
    let answer = format!("Category: billing. Reply {test}: we are looking into it \"now\".\n").repeat(12);
    let is_passed = !(test * 7 + column).is_multiple_of(5);
    let vars = json!({"product": "Acme Cloud", "language": "English", "ticket": ticket});
    let assert = json!([
        {"type": "latency", "threshold": 30_000, "metric": "latency"},
        {"type": "cost", "threshold": 0.01, "metric": "cost"},
        {"type": "icontains", "value": "billing", "metric": "accuracy", "weight": 2},
    ]);
    let components: Value = assert
        .as_array()
        .into_iter()
        .flatten()
        .map(|assertion| {
            let is_passed = is_passed || assertion["metric"] != "accuracy";
            json!({"pass": is_passed, "score": f64::from(u8::from(is_passed)), "reason": "as asserted", "assertion": assertion})
        })
        .collect();
    let tokens = json!({"total": 80, "prompt": 57, "completion": 23, "cached": 0, "numRequests": 1});
    json!({
        "id": format!("00000000-0000-4000-8000-{:012}", test * COLUMNS + column), "testIdx": test, "promptIdx": column,
        "testCase": {"description": format!("case {test}"), "vars": vars, "assert": assert, "options": {},
            "metadata": {"suite": "billing"}},
        "vars": vars,
        "prompt": {"raw": template(column).replace("{{product}}", "Acme Cloud").replace("{{ticket}}", &ticket),
            "label": format!("generated-{}", column % 3)},
        "provider": {"id": provider(column), "label": ""},
        "response": {"output": answer, "tokenUsage": tokens, "cost": 0.000_022, "cached": false,
            "metadata": {"finishReason": "stop"}},
        "success": is_passed, "failureReason": u8::from(!is_passed), "score": if is_passed { 1.0 } else { 0.5 },
        "error": if is_passed { Value::Null } else { json!("as asserted") },
        "gradingResult": {"pass": is_passed, "score": 1, "reason": "All assertions were looked at",
            "namedScores": {"accuracy": 1}, "componentResults": components},
        "namedScores": {"latency": 1, "cost": 1, "accuracy": u8::from(is_passed)},
        "latencyMs": 100 + test % 900, "cost": 0.000_022, "tokenUsage": tokens, "metadata": {"finishReason": "stop"},
    })
}
