//! Statements without what makes no difference to their plans, so that both databases have the same words for them.

/// The statement with `?` for every parameter, `…` for lists of columns and for values to be stored, names without
/// quotes, and no rounded limits.
pub fn shape(statement: &str) -> String {
    // The two ways to say the id of a parent whose rows are looked for.
    let text = statement.replace(['`', '"'], "").replace("unhex(parent.value)", "parent.id");
    let words: Vec<_> = text.split_whitespace().collect();
    let text = without_rounded_limits(&without_numbers(&words.join(" ")));
    let text = text.split_once(" VALUES (").map_or(text.as_str(), |(before, _)| before).to_owned();
    let mut shape = String::new();
    let mut rest = text.as_str();
    while let Some(place) = rest.find("SELECT ") {
        let (before, after) = rest.split_at(place + "SELECT ".len());
        shape.push_str(before);
        let place = ["parent.key, ", "parent.place - 1, "].iter().find_map(|place| after.strip_prefix(place));
        let list = place.unwrap_or(after);
        shape.push_str(&after[..after.len() - list.len()]);
        rest = list;
        if let Some((columns, _)) = list.split_once(" FROM ").filter(|(columns, _)| columns.split(", ").all(is_column))
        {
            shape.push('…');
            rest = &list[columns.len()..];
        }
    }
    shape + rest
}

fn is_column(text: &str) -> bool {
    text == "NULL"
        || text == "child.*"
        || text.split('.').all(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'))
}

/// Without the statement around a page that PostgreSQL reads, in which the limit is a parameter.
fn without_rounded_limits(text: &str) -> String {
    let Some((page, limit)) = text.split_once(") AS page") else { return text.to_owned() };
    let page = page.trim_end_matches(|c: char| c.is_ascii_digit());
    let page = page.strip_suffix(" LIMIT ").expect("a page has a limit");
    page.replace("SELECT * FROM (SELECT ", "SELECT ") + limit
}

/// `?` for `$1`.
fn without_numbers(text: &str) -> String {
    let mut parts = text.split('$');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| format!("{text}?{}", part.trim_start_matches(|c: char| c.is_ascii_digit())))
}

/// Whether the whole text is that of the pattern, in which `*` stands for anything.
pub fn fits(text: &str, pattern: &str) -> bool {
    let Some((begin, rest)) = pattern.split_once('*') else { return text == pattern };
    let Some(text) = text.strip_prefix(begin) else { return false };
    (0..=text.len()).filter(|&end| text.is_char_boundary(end)).any(|end| fits(&text[end..], rest))
}

/// The patterns that a pattern with `{a|b}` stands for, one for each of the alternatives.
pub fn alternatives(pattern: &str) -> Vec<String> {
    let choice = pattern.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
    let Some((before, (choices, after))) = choice else { return vec![pattern.to_owned()] };
    let after = alternatives(after);
    let one = |choice| after.iter().map(move |after| format!("{before}{choice}{after}"));
    choices.split('|').flat_map(one).collect()
}

#[test]
fn a_pattern_stands_for_all_its_alternatives() {
    assert_eq!(alternatives("a {b|c} d {e|}"), ["a b d e", "a b d ", "a c d e", "a c d "]);
    assert_eq!(alternatives("a"), ["a"]);
}

#[test]
fn the_shape_of_a_statement_is_the_same_for_both_databases() {
    let sqlite =
        "SELECT parent.key, `a`.`id`, NULL FROM json_each(?) WHERE `a`.`x` IN (SELECT `b`.`id` FROM `b`) LIMIT ?";
    assert_eq!(shape(sqlite), "SELECT parent.key, … FROM json_each(?) WHERE a.x IN (SELECT … FROM b) LIMIT ?");
    let parents = ["a = unhex(parent.value)", "a = parent.id"];
    assert_eq!(parents.map(shape), ["a = parent.id"; 2]);
    let postgres = "SELECT \"a\".\"id\" FROM \"a\"   WHERE \"a\".\"x\" = $12 AND count(*) > $2";
    assert_eq!(shape(postgres), "SELECT … FROM a WHERE a.x = ? AND count(*) > ?");
    let page = "SELECT * FROM (SELECT 3, a.x FROM a WHERE TRUE LIMIT 64) AS page LIMIT $1";
    assert_eq!(shape(page), "SELECT … FROM a WHERE TRUE LIMIT ?");
    assert_eq!(shape("INSERT INTO a (x) VALUES ($1), ($2)"), "INSERT INTO a (x)");
    assert_eq!(shape("SELECT count(*) FROM a"), "SELECT count(*) FROM a");
}

#[test]
fn a_pattern_fits_the_whole_text() {
    assert!(fits("abc", "abc") && fits("abc", "a*c") && fits("abc", "*") && fits("ac", "a*c") && fits("abab", "*ab"));
    assert!(!fits("abc", "ab") && !fits("abc", "b*") && !fits("abc", "a*b") && !fits("", "a"));
}
