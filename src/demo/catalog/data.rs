//! Texts: data cleaning.

use super::{Case, Domain, Lineage, Refinement, Rewording, Style, Suite, Variant};

/// The prompts of this domain and what they are tested with.
pub(super) static DOMAIN: Domain = Domain {
    title: "Data cleaning",
    team: "master-data",
    ticket_prefix: "MDM",
    suites: &[&ADDRESSES, &RECORD_MATCHING],
};

static ADDRESSES: Suite = Suite {
    name: "addresses",
    style: Style::Json,
    input: "raw",
    context: &[("output_keys", "street, house_number, postal_code, city, country (ISO 3166)")],
    variants: &[
        Variant { label: "all capitals header", before: "ADDRESS: ", after: "" },
        Variant { label: "with delivery note", before: "", after: " (leave at the back door)" },
    ],
    cases: &[
        Case {
            name: "German address",
            input: "Schillerstr. 12 b, 60313 Frankfurt/M.",
            expected: r#"{"street":"Schillerstraße","house_number":"12b","postal_code":"60313","city":"Frankfurt am Main","country":"DE"}"#,
            answer: None,
            wrong: r#"{"street":"Schillerstr.","house_number":"12","postal_code":"60313","city":"Frankfurt/M.","country":"DE"}"#,
            reason: "street and city were not expanded; house_number lost its letter",
        },
        Case {
            name: "house number first",
            input: "221B Baker Street, London NW1 6XE",
            expected: r#"{"street":"Baker Street","house_number":"221B","postal_code":"NW1 6XE","city":"London","country":"GB"}"#,
            answer: None,
            wrong: r#"{"street":"221B Baker Street","house_number":null,"postal_code":"NW1 6XE","city":"London","country":"GB"}"#,
            reason: r#"house_number: expected "221B", got null"#,
        },
        Case {
            name: "post box",
            input: "P.O. Box 4410, 1040 Wien",
            expected: r#"{"street":null,"house_number":null,"postal_code":"1040","city":"Wien","country":"AT"}"#,
            answer: None,
            wrong: r#"{"street":"P.O. Box","house_number":"4410","postal_code":"1040","city":"Wien","country":"AT"}"#,
            reason: "A post box is no street",
        },
        Case {
            name: "leading zero",
            input: "Hauptweg 3, 01067 Dresden, Germany",
            expected: r#"{"street":"Hauptweg","house_number":"3","postal_code":"01067","city":"Dresden","country":"DE"}"#,
            answer: None,
            wrong: r#"{"street":"Hauptweg","house_number":"3","postal_code":1067,"city":"Dresden","country":"DE"}"#,
            reason: "postal_code: the leading zero was lost",
        },
        Case {
            name: "city with two countries",
            input: "14 King St, Kingston",
            expected: r#"{"street":"King St","house_number":"14","postal_code":null,"city":"Kingston","country":null}"#,
            answer: None,
            wrong: r#"{"street":"King Street","house_number":"14","postal_code":null,"city":"Kingston","country":"JM"}"#,
            reason: "country: cannot be known, expected null",
        },
        Case {
            name: "company line on top",
            input: "Blue Fin Ltd, c/o Harbour House, 9 Quay Rd, Cork T12 X2F4",
            expected: r#"{"street":"Quay Rd","house_number":"9","postal_code":"T12 X2F4","city":"Cork","country":"IE"}"#,
            answer: None,
            wrong: r#"{"street":"Harbour House","house_number":"9","postal_code":"T12 X2F4","city":"Cork","country":"IE"}"#,
            reason: "street: took the name of the building",
        },
    ],
    refinements: &[
        Refinement {
            note: "text not numbers",
            text: "Postal codes and house numbers are strings; leading zeros stay.",
        },
        Refinement {
            note: "do not guess the country",
            text: "Set the country only if the address allows one answer; otherwise null.",
        },
        Refinement {
            note: "names of buildings",
            text: r#"Companies, buildings and "c/o" lines belong to no key; leave them out."#,
        },
        Refinement { note: "post boxes", text: "A post box leaves street and house_number null." },
        Refinement {
            note: "expand german forms",
            text: "Expand German abbreviations (Str., Pl., a. d.) but leave other languages as written.",
        },
        Refinement {
            note: "letters of house numbers",
            text: "Attach letters to the house number without a space: 12b.",
        },
        Refinement { note: "object only", text: "Return the JSON object only." },
    ],
    lineages: &[
        Lineage {
            name: "data/normalise-address",
            title: "Normalise addresses",
            template: Some("extraction/normalise-value"),
            versions: 6,
            tags: &["master-data", "addresses"],
            description: "Cleans addresses before they are matched with the register.",
            system: None,
            text: "Split an address as people type it into its parts.\n\
             Keys: {{output_keys}}. Unknown parts are null.\n\
             Use the official spelling of the city in its own language.\n\
             Return JSON.\n\n\
             {{raw}}",
            rewording: Some(Rewording {
                note: "forbid invention",
                from: "Unknown parts are null.",
                to: "Unknown parts are null; a wrong part is worse than a missing one.",
            }),
        },
        Lineage {
            name: "data/shipping-label",
            title: "Shipping label parser",
            template: Some("extraction/normalise-value"),
            versions: 4,
            tags: &["logistics", "addresses"],
            description: "Parses labels that could not be read by the carrier.",
            system: None,
            text: "Read the recipient's address from a parcel label.\n\
             Return JSON with {{output_keys}}.\n\
             Notes to the driver are not part of the address.\n\n\
             {{raw}}",
            rewording: None,
        },
        Lineage {
            name: "data/legacy-import",
            title: "Legacy address import",
            template: None,
            versions: 2,
            tags: &["migration", "addresses"],
            description: "One-off import of the old customer file.",
            system: None,
            text: "The old customer file has the address in a single column, often in capitals.\n\
             Convert it to JSON with {{output_keys}}. Restore normal capitalisation.\n\n\
             {{raw}}",
            rewording: None,
        },
    ],
};

static RECORD_MATCHING: Suite = Suite {
    name: "record-matching",
    style: Style::Json,
    input: "records",
    context: &[("decisions", "same, different, unsure")],
    variants: &[
        Variant { label: "exported with ids", before: "#A17 / #B90: ", after: "" },
        Variant { label: "trailing source", before: "", after: " [source: CRM 2019]" },
    ],
    cases: &[
        Case {
            name: "legal form differs",
            input: "A: Meyer Logistik GmbH, Bremen / B: Meyer Logistik, Bremen",
            expected: r#"{"decision":"same","reason":"Same name and city; only the legal form is missing."}"#,
            answer: None,
            wrong: r#"{"decision":"different","reason":"The names differ."}"#,
            reason: r#"decision: expected "same""#,
        },
        Case {
            name: "same name, other city",
            input: "A: Sunrise Bakery, Leeds / B: Sunrise Bakery, Bristol",
            expected: r#"{"decision":"unsure","reason":"A common name in two cities; could be branches."}"#,
            answer: None,
            wrong: r#"{"decision":"same","reason":"Same name."}"#,
            reason: r#"decision: expected "unsure" for a common name in two cities"#,
        },
        Case {
            name: "renamed company",
            input: "A: Tallinn Soft OÜ (until 2024: Pixelmill OÜ) / B: Pixelmill OÜ, Tallinn",
            expected: r#"{"decision":"same","reason":"B is the former name of A."}"#,
            answer: None,
            wrong: r#"{"decision":"different","reason":"Different company names."}"#,
            reason: "The former name was not considered",
        },
        Case {
            name: "tax id contradicts",
            input: "A: Orion AG, VAT CHE-114.220.101 / B: Orion AG, VAT CHE-209.557.310",
            expected: r#"{"decision":"different","reason":"The VAT numbers differ."}"#,
            answer: None,
            wrong: r#"{"decision":"same","reason":"Identical names."}"#,
            reason: "Tax numbers outweigh names",
        },
        Case {
            name: "typo",
            input: "A: Kowalsky i Synowie / B: Kowalski i Synowie, ul. Polna 4",
            expected: r#"{"decision":"same","reason":"One letter differs; the rest agrees."}"#,
            answer: Some(r#"{"decision":"same","reason":"Spelling variant of the same name."}"#),
            wrong: r#"{"decision":"unsure","reason":"Spelling differs."}"#,
            reason: "decision: a single letter should not prevent a match",
        },
        Case {
            name: "parent and subsidiary",
            input: "A: Nordwind Holding SE / B: Nordwind Services GmbH",
            expected: r#"{"decision":"different","reason":"Two entities of one group."}"#,
            answer: None,
            wrong: r#"{"decision":"same","reason":"Both are Nordwind."}"#,
            reason: "Group companies are different records",
        },
    ],
    refinements: &[
        Refinement {
            note: "identifiers first",
            text: "Compare tax numbers and register numbers first; if they contradict, the records are different.",
        },
        Refinement { note: "groups", text: "Companies of one group with different legal forms are different." },
        Refinement { note: "former names", text: "A former name counts like the present one." },
        Refinement {
            note: "typing errors",
            text: "A difference of one or two letters in a rare name is a typing error.",
        },
        Refinement { note: "unsure is allowed", text: r#"Common names in different places are "unsure"."# },
        Refinement { note: "reason in one sentence", text: "The reason is one sentence and names the deciding fact." },
    ],
    lineages: &[
        Lineage {
            name: "data/match-companies",
            title: "Company matching",
            template: Some("extraction/normalise-value"),
            versions: 5,
            tags: &["master-data", "deduplication"],
            description: "Settles the pairs that the blocking rules leave undecided.",
            system: None,
            text: "Decide whether two records describe the same company.\n\
             Decisions: {{decisions}}.\n\
             Return JSON with decision and reason.\n\n\
             {{records}}",
            rewording: None,
        },
        Lineage {
            name: "data/supplier-dedupe",
            title: "Supplier de-duplication",
            template: None,
            versions: 3,
            tags: &["procurement", "deduplication"],
            description: "For the yearly clean-up of the supplier list.",
            system: None,
            text: "Two entries of our supplier list look alike. If we merge wrongly, invoices are paid to the \
             wrong account.\n\
             Choose one of {{decisions}} and give the reason as JSON (decision, reason).\n\n\
             {{records}}",
            rewording: None,
        },
    ],
};
