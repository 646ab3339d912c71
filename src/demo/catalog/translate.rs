//! Texts: translation.

use super::{Case, Domain, Lineage, Refinement, Rewording, Style, Suite, Variant};

/// The prompts of this domain and what they are tested with.
pub(super) static DOMAIN: Domain = Domain {
    title: "Translation",
    team: "localisation",
    ticket_prefix: "L10N",
    suites: &[&UI_STRINGS, &TRANSLATION_QUALITY],
};

static UI_STRINGS: Suite = Suite {
    name: "ui-strings",
    style: Style::Text,
    input: "source",
    context: &[
        ("target_language", "German"),
        ("glossary", "workspace = Arbeitsbereich; run = Lauf; sign in = anmelden"),
    ],
    variants: &[
        Variant { label: "from the settings screen", before: "[screen: settings] ", after: "" },
        Variant { label: "with trailing space", before: "", after: " " },
    ],
    cases: &[
        Case {
            name: "button label",
            input: "Sign in",
            expected: "Anmelden",
            answer: None,
            wrong: "Einloggen",
            reason: r#"Glossary: "sign in" must be "anmelden""#,
        },
        Case {
            name: "placeholder must survive",
            input: "{count} files could not be uploaded to {workspace}.",
            expected: "{count} Dateien konnten nicht nach {workspace} hochgeladen werden.",
            answer: None,
            wrong: "{Anzahl} Dateien konnten nicht nach {Arbeitsbereich} hochgeladen werden.",
            reason: "Placeholders were translated",
        },
        Case {
            name: "plural rule",
            input: "{count, plural, one {# run} other {# runs}}",
            expected: "{count, plural, one {# Lauf} other {# Läufe}}",
            answer: None,
            wrong: "{count} Läufe",
            reason: "ICU plural syntax was lost",
        },
        Case {
            name: "informal address",
            input: "You can change your password at any time.",
            expected: "Du kannst dein Passwort jederzeit ändern.",
            answer: None,
            wrong: "Sie können Ihr Passwort jederzeit ändern.",
            reason: r#"Formal address where the product uses "du""#,
        },
        Case {
            name: "product name stays",
            input: "Open Evergreen Desk in your browser",
            expected: "Öffne Evergreen Desk in deinem Browser",
            answer: None,
            wrong: "Öffne den immergrünen Schreibtisch in deinem Browser",
            reason: "The product name was translated",
        },
        Case {
            name: "length limit of a tab",
            input: "Notifications",
            expected: "Meldungen",
            answer: Some("Hinweise"),
            wrong: "Benachrichtigungseinstellungen",
            reason: "30 characters, the tab allows 14; the meaning changed as well",
        },
    ],
    refinements: &[
        Refinement {
            note: "keep placeholders",
            text: "Copy everything in braces, percent signs and HTML tags unchanged.",
        },
        Refinement {
            note: "icu syntax",
            text: "Keep ICU keywords (plural, select, one, other) and translate only the text inside.",
        },
        Refinement { note: "address", text: r#"Address the user with "du" where the language distinguishes."# },
        Refinement { note: "names stay", text: "Do not translate names of products, plans and people." },
        Refinement {
            note: "as short as the source",
            text: "A label may be at most 40 % longer than its source; choose the shorter word.",
        },
        Refinement {
            note: "glossary wins",
            text: "The glossary goes before every other rule, even when it sounds less natural.",
        },
        Refinement { note: "no explanations", text: "Return the translation only, without quotation marks." },
    ],
    lineages: &[
        Lineage {
            name: "translate/ui-strings",
            title: "Interface strings",
            template: Some("translation/localise-text"),
            versions: 6,
            tags: &["ui", "localisation"],
            description: "Runs on every new string of the product; translators check a sample.",
            system: None,
            text: "Translate a string of a software interface into {{target_language}}.\n\
             Glossary: {{glossary}}.\n\
             Use the words that native speakers expect in an application.\n\n\
             String:\n\
             {{source}}",
            rewording: Some(Rewording {
                note: "tell strings apart",
                from: "Use the words that native speakers expect in an application.",
                to: "Use the words that native speakers expect in an application. Buttons are verbs, tabs and \
                 headings are nouns.",
            }),
        },
        Lineage {
            name: "translate/help-center",
            title: "Help centre sentences",
            template: Some("translation/localise-text"),
            versions: 4,
            tags: &["docs", "localisation"],
            description: "Sentence by sentence, with the glossary of the interface.",
            system: None,
            text: "You translate articles of a help centre into {{target_language}}, one segment at a time.\n\
             Names of buttons and menus must match the interface: {{glossary}}.\n\
             Write natural sentences rather than literal ones.\n\n\
             {{source}}",
            rewording: None,
        },
        Lineage {
            name: "translate/release-notes",
            title: "Release notes translation",
            template: None,
            versions: 3,
            tags: &["docs", "release"],
            description: "For the monthly announcement.",
            system: Some(
                "You are a translator for software announcements. You keep placeholders, version numbers \
             and product names untouched.",
            ),
            text: "Into {{target_language}}, with the glossary {{glossary}}:\n\
             {{source}}",
            rewording: None,
        },
    ],
};

static TRANSLATION_QUALITY: Suite = Suite {
    name: "translation-quality",
    style: Style::Json,
    input: "pair",
    context: &[("severities", "critical, major, minor, none")],
    variants: &[
        Variant { label: "reviewed before", before: "Reviewed by agency A. ", after: "" },
        Variant { label: "mixed scripts", before: "", after: " (zh: 同意)" },
    ],
    cases: &[
        Case {
            name: "negation lost",
            input: "EN: Do not unplug the device. / DE: Ziehen Sie den Stecker des Geräts.",
            expected: r#"{"severity":"critical","category":"meaning","comment":"The negation is missing: the translation says to unplug the device."}"#,
            answer: None,
            wrong: r#"{"severity":"minor","category":"style","comment":"Could be more fluent."}"#,
            reason: r#"severity: expected "critical" for a reversed safety instruction, got "minor""#,
        },
        Case {
            name: "perfect translation",
            input: "EN: Save changes? / FR: Enregistrer les modifications ?",
            expected: r#"{"severity":"none","category":"none","comment":"Correct, including the space before the question mark."}"#,
            answer: None,
            wrong: r#"{"severity":"minor","category":"punctuation","comment":"Remove the space before the question mark."}"#,
            reason: "French requires the space before the question mark",
        },
        Case {
            name: "wrong number",
            input: "EN: Refunds take 5 days. / ES: Los reembolsos tardan 15 días.",
            expected: r#"{"severity":"critical","category":"numbers","comment":"5 days became 15 days."}"#,
            answer: None,
            wrong: r#"{"severity":"none","category":"none","comment":"Good translation."}"#,
            reason: "Missed that 5 became 15",
        },
        Case {
            name: "clumsy but right",
            input: "EN: Your order is on its way. / DE: Ihre Bestellung ist auf ihrem Weg.",
            expected: r#"{"severity":"minor","category":"style","comment":"Literal; \"ist unterwegs\" is idiomatic."}"#,
            answer: None,
            wrong: r#"{"severity":"major","category":"meaning","comment":"The meaning is wrong."}"#,
            reason: "severity: style problem reported as wrong meaning",
        },
        Case {
            name: "untranslated term",
            input: "EN: Choose a billing cycle. / IT: Scegli un billing cycle.",
            expected: r#"{"severity":"major","category":"untranslated","comment":"\"billing cycle\" was left in English."}"#,
            answer: None,
            wrong: r#"{"severity":"none","category":"none","comment":"English terms are common in Italian software."}"#,
            reason: r#"Expected "major": the term has a translation in the term base"#,
        },
        Case {
            name: "gender of the role",
            input: "EN: Ask your administrator. / PL: Poproś swojego administratora.",
            expected: r#"{"severity":"none","category":"none","comment":"Correct."}"#,
            answer: None,
            wrong: r#"{"severity":"major","category":"gender","comment":"Should be gender-neutral."}"#,
            reason: "Reports a problem that the style guide does not know",
        },
    ],
    refinements: &[
        Refinement {
            note: "severity scale",
            text: "critical: harm or wrong facts; major: the reader is misled or stops; minor: noticed but \
             understood; none: nothing to change.",
        },
        Refinement {
            note: "rules of the target language",
            text: "Judge punctuation and spacing by the rules of the target language, not of English.",
        },
        Refinement {
            note: "numbers and negations",
            text: "Compare numbers, units, dates and negations one by one before anything else.",
        },
        Refinement { note: "one finding", text: "Report the worst finding only." },
        Refinement {
            note: "no personal taste",
            text: "A translation is not wrong because you would have written it differently.",
        },
        Refinement {
            note: "only json",
            text: "The answer is a JSON object with severity, category and comment. Nothing else.",
        },
    ],
    lineages: &[
        Lineage {
            name: "translate/quality-check",
            title: "Translation quality check",
            template: Some("classification/screen-and-escalate"),
            versions: 4,
            tags: &["quality", "localisation"],
            description: "Finds the segments that a person has to look at.",
            system: None,
            text: "Compare a source segment with its translation and report the worst problem.\n\
             Severities: {{severities}}. Categories: meaning, numbers, untranslated, style, punctuation, none.\n\
             Return JSON with severity, category and a comment of one sentence in English.\n\n\
             {{pair}}",
            rewording: None,
        },
        Lineage {
            name: "translate/agency-audit",
            title: "Agency audit",
            template: None,
            versions: 2,
            tags: &["quality", "vendors"],
            description: "Monthly sample of what the agencies deliver.",
            system: None,
            text: "You audit a translation agency. Be fair: they are paid by the word and judged by this.\n\
             Rate the pair with one of {{severities}}, name the category, and justify it in one sentence. Use \
             JSON keys severity, category, comment.\n\n\
             {{pair}}",
            rewording: None,
        },
    ],
};
