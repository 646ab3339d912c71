//! Texts: document extraction.

use super::{Case, Domain, Lineage, Refinement, Rewording, Style, Suite, Variant};

/// The prompts of this domain and what they are tested with.
pub(super) static DOMAIN: Domain =
    Domain { title: "Document extraction", team: "document-ai", ticket_prefix: "DOC", suites: &[&INVOICES, &CONTACTS] };

static INVOICES: Suite = Suite {
    name: "invoices",
    style: Style::Json,
    input: "document",
    context: &[("fields", "invoice_number, invoice_date (ISO 8601), supplier, currency (ISO 4217), net, tax, gross")],
    variants: &[
        Variant {
            label: "scanned with noise",
            before: "~^. \n",
            after: "\n\
             _ .. ~",
        },
        Variant {
            label: "second page follows",
            before: "",
            after: "\n\
             Continued on page 2",
        },
    ],
    cases: &[
        Case {
            name: "simple invoice",
            input: "INVOICE 2026-0417 / Date: 3 Sept 2026 / Nordlicht GmbH / Net 1,200.00 EUR / VAT 19 % 228.00 / \
             Total 1,428.00 EUR",
            expected: r#"{"invoice_number":"2026-0417","invoice_date":"2026-09-03","supplier":"Nordlicht GmbH","currency":"EUR","net":1200.00,"tax":228.00,"gross":1428.00}"#,
            answer: None,
            wrong: r#"{"invoice_number":"2026-0417","invoice_date":"2026-03-09","supplier":"Nordlicht GmbH","currency":"EUR","net":1200.00,"tax":228.00,"gross":1428.00}"#,
            reason: "invoice_date: expected 2026-09-03, got 2026-03-09",
        },
        Case {
            name: "German number format",
            input: "Rechnung Nr. R-88/26 vom 14.10.2026, Bäckerei Wuttke, netto 1.049,50 €, USt 7 % 73,47 €, \
             brutto 1.122,97 €",
            expected: r#"{"invoice_number":"R-88/26","invoice_date":"2026-10-14","supplier":"Bäckerei Wuttke","currency":"EUR","net":1049.50,"tax":73.47,"gross":1122.97}"#,
            answer: None,
            wrong: r#"{"invoice_number":"R-88/26","invoice_date":"2026-10-14","supplier":"Bäckerei Wuttke","currency":"EUR","net":1.0495,"tax":73.47,"gross":1.12297}"#,
            reason: "net: expected 1049.50, got 1.0495 (decimal comma misread)",
        },
        Case {
            name: "tax is missing",
            input: "Invoice #771, 2026-08-30, Lakeview Consulting Ltd, Total due GBP 640.00 (not VAT registered)",
            expected: r#"{"invoice_number":"771","invoice_date":"2026-08-30","supplier":"Lakeview Consulting Ltd","currency":"GBP","net":640.00,"tax":0.00,"gross":640.00}"#,
            answer: None,
            wrong: r#"{"invoice_number":"771","invoice_date":"2026-08-30","supplier":"Lakeview Consulting Ltd","currency":"GBP","net":533.33,"tax":106.67,"gross":640.00}"#,
            reason: "tax: computed 20 % although the supplier is not VAT registered",
        },
        Case {
            name: "order number near invoice number",
            input: "Your order 5520091. Invoice 90-3312 dated 11/02/2026 (dd/mm). Ostend Marine BV. Subtotal \
             310.00, BTW 21 % 65.10, Total EUR 375.10",
            expected: r#"{"invoice_number":"90-3312","invoice_date":"2026-02-11","supplier":"Ostend Marine BV","currency":"EUR","net":310.00,"tax":65.10,"gross":375.10}"#,
            answer: None,
            wrong: r#"{"invoice_number":"5520091","invoice_date":"2026-02-11","supplier":"Ostend Marine BV","currency":"EUR","net":310.00,"tax":65.10,"gross":375.10}"#,
            reason: "invoice_number: took the order number 5520091",
        },
        Case {
            name: "credit note",
            input: "CREDIT NOTE CN-19, 2026-07-01, Helio Print Inc., refund of USD 84.00 plus tax 6.93, total \
             -90.93 USD",
            expected: r#"{"invoice_number":"CN-19","invoice_date":"2026-07-01","supplier":"Helio Print Inc.","currency":"USD","net":-84.00,"tax":-6.93,"gross":-90.93}"#,
            answer: None,
            wrong: r#"{"invoice_number":"CN-19","invoice_date":"2026-07-01","supplier":"Helio Print Inc.","currency":"USD","net":84.00,"tax":6.93,"gross":90.93}"#,
            reason: "gross: a credit note must be negative, got 90.93",
        },
        Case {
            name: "date is unreadable",
            input: "Inv. 4471 - date smudged - Oakridge Tools - net 75.00 CAD, GST 3.75, total 78.75",
            expected: r#"{"invoice_number":"4471","invoice_date":null,"supplier":"Oakridge Tools","currency":"CAD","net":75.00,"tax":3.75,"gross":78.75}"#,
            answer: None,
            wrong: r#"{"invoice_number":"4471","invoice_date":"2026-01-01","supplier":"Oakridge Tools","currency":"CAD","net":75.00,"tax":3.75,"gross":78.75}"#,
            reason: "invoice_date: invented, expected null",
        },
    ],
    refinements: &[
        Refinement {
            note: "null for unreadable",
            text: "Use null for a field that is missing or unreadable. Never make up a value.",
        },
        Refinement {
            note: "numbers as numbers",
            text: "Amounts are JSON numbers with a decimal point; both 1.049,50 and 1,049.50 mean 1049.50.",
        },
        Refinement {
            note: "day before month",
            text: "Dates with slashes or dots are day first unless the document says otherwise.",
        },
        Refinement {
            note: "not the order number",
            text: "Order, customer and delivery numbers are not invoice numbers.",
        },
        Refinement { note: "sign of credit notes", text: "Amounts of credit notes and refunds are negative." },
        Refinement {
            note: "arithmetic check",
            text: "Check that net plus tax is gross. If it is not, keep the printed figures; do not correct them.",
        },
        Refinement { note: "no fences", text: "Return the bare JSON object. No Markdown." },
    ],
    lineages: &[
        Lineage {
            name: "extract/invoice-fields",
            title: "Invoice fields",
            template: Some("extraction/fields-to-json"),
            versions: 6,
            tags: &["invoices", "ocr"],
            description: "Feeds the accounts-payable import; everything with a null goes to a person.",
            system: None,
            text: "Extract fields from the text of an invoice. The text comes from OCR and may contain noise.\n\
             Fields: {{fields}}.\n\
             Answer with one JSON object with exactly these keys.\n\n\
             Text:\n\
             {{document}}",
            rewording: Some(Rewording {
                note: "ask for verbatim numbers",
                from: "Answer with one JSON object with exactly these keys.",
                to: "Answer with one JSON object with exactly these keys. Copy identifiers character by character, \
                 including dashes and slashes.",
            }),
        },
        Lineage {
            name: "extract/receipt-fields",
            title: "Receipt fields",
            template: Some("extraction/fields-to-json"),
            versions: 5,
            tags: &["receipts", "expenses"],
            description: "For photos of receipts in the expense app.",
            system: None,
            text: "The text below was read from a photo of a receipt or a small invoice.\n\
             Return {{fields}} as JSON. The supplier is the shop, not the card company.\n\
             The gross amount is what was paid, including tax and without tip.\n\n\
             {{document}}",
            rewording: None,
        },
        Lineage {
            name: "extract/purchase-ledger",
            title: "Ledger line from invoice",
            template: None,
            versions: 3,
            tags: &["invoices", "ledger"],
            description: "Used when old paper archives are entered into the books.",
            system: Some(
                "You are a careful bookkeeper. You copy figures exactly and leave out what you cannot \
             read. You answer in JSON.",
            ),
            text: "Give me {{fields}} of this document:\n\
             {{document}}",
            rewording: None,
        },
    ],
};

static CONTACTS: Suite = Suite {
    name: "contacts",
    style: Style::Json,
    input: "text",
    context: &[("keys", "name, company, role, email, phone (E.164), country (ISO 3166)")],
    variants: &[
        Variant {
            label: "reply chain",
            before: "On Tue, Ines wrote:\n\
             > see below\n\n",
            after: "",
        },
        Variant {
            label: "with legal footer",
            before: "",
            after: "\n\
             This e-mail is confidential. If you are not the intended recipient, delete it.",
        },
    ],
    cases: &[
        Case {
            name: "full signature",
            input: "Best, Marta Nowak / Head of Purchasing / Zielona Energia sp. z o.o. / +48 22 555 01 44 / \
             m.nowak@zielona.example",
            expected: r#"{"name":"Marta Nowak","company":"Zielona Energia sp. z o.o.","role":"Head of Purchasing","email":"m.nowak@zielona.example","phone":"+48225550144","country":"PL"}"#,
            answer: None,
            wrong: r#"{"name":"Marta Nowak","company":"Zielona Energia","role":"Head of Purchasing","email":"m.nowak@zielona.example","phone":"22 555 01 44","country":"PL"}"#,
            reason: "phone: not in E.164 form; company: legal form dropped",
        },
        Case {
            name: "first name only",
            input: "thanks! Tom",
            expected: r#"{"name":"Tom","company":null,"role":null,"email":null,"phone":null,"country":null}"#,
            answer: None,
            wrong: r#"{"name":"Tom Thanks","company":null,"role":null,"email":null,"phone":null,"country":null}"#,
            reason: r#"name: expected "Tom", got "Tom Thanks""#,
        },
        Case {
            name: "two phone numbers",
            input: "Dr. Ali Rahimi, Radiology, St. Brigid Hospital Dublin. Office 01 555 2210, mobile 087 555 9012",
            expected: r#"{"name":"Ali Rahimi","company":"St. Brigid Hospital","role":"Radiology","email":null,"phone":"+35315552210","country":"IE"}"#,
            answer: None,
            wrong: r#"{"name":"Dr. Ali Rahimi","company":"St. Brigid Hospital Dublin","role":"Radiology","email":null,"phone":"+353875559012","country":"IE"}"#,
            reason: "phone: the office number comes first; name: title must be dropped",
        },
        Case {
            name: "obfuscated e-mail",
            input: "Contact: j dot okafor at lagosfreight dot example (Joseph Okafor, dispatcher)",
            expected: r#"{"name":"Joseph Okafor","company":null,"role":"dispatcher","email":"j.okafor@lagosfreight.example","phone":null,"country":null}"#,
            answer: None,
            wrong: r#"{"name":"Joseph Okafor","company":"Lagos Freight","role":"dispatcher","email":null,"phone":null,"country":"NG"}"#,
            reason: "email: expected j.okafor@lagosfreight.example, got null; company and country were guessed",
        },
        Case {
            name: "assistant writes for the boss",
            input: "On behalf of Keiko Tanaka, CFO, Minato Foods KK - Yui Sato, executive assistant, \
             y.sato@minato.example",
            expected: r#"{"name":"Yui Sato","company":"Minato Foods KK","role":"executive assistant","email":"y.sato@minato.example","phone":null,"country":"JP"}"#,
            answer: None,
            wrong: r#"{"name":"Keiko Tanaka","company":"Minato Foods KK","role":"CFO","email":"y.sato@minato.example","phone":null,"country":"JP"}"#,
            reason: "name: the sender is Yui Sato",
        },
        Case {
            name: "former employer mentioned",
            input: "I used to be at Brightwave, now I run partnerships at Fernhill Labs. Cheers, Priya Raman",
            expected: r#"{"name":"Priya Raman","company":"Fernhill Labs","role":"partnerships","email":null,"phone":null,"country":null}"#,
            answer: None,
            wrong: r#"{"name":"Priya Raman","company":"Brightwave","role":"partnerships","email":null,"phone":null,"country":null}"#,
            reason: "company: took the former employer",
        },
    ],
    refinements: &[
        Refinement {
            note: "sender not addressee",
            text: "The contact is the person who wrote the text, not the person it is about.",
        },
        Refinement { note: "present employer", text: "Use the present employer, never a former one." },
        Refinement { note: "titles off", text: "Leave out titles such as Dr. and Prof." },
        Refinement {
            note: "e.164",
            text: "Write phone numbers in E.164; use the country of the address for the prefix. With several \
             numbers, take the office number.",
        },
        Refinement { note: "legal form stays", text: "Keep the legal form of a company (GmbH, Ltd, sp. z o.o.)." },
        Refinement { note: "do not infer", text: "Do not infer the company or the country from an e-mail address." },
    ],
    lineages: &[
        Lineage {
            name: "extract/contact-card",
            title: "Contact from signature",
            template: Some("extraction/fields-to-json"),
            versions: 5,
            tags: &["crm", "contacts"],
            description: "Fills new CRM contacts from the last e-mail.",
            system: None,
            text: "Find the contact data of the sender in the text.\n\
             Keys: {{keys}}. Use null when something is not stated.\n\
             Return a single JSON object and nothing else.\n\n\
             {{text}}",
            rewording: None,
        },
        Lineage {
            name: "extract/lead-capture",
            title: "Lead capture",
            template: None,
            versions: 3,
            tags: &["crm", "leads"],
            description: "For notes that sales people type at trade fairs.",
            system: None,
            text: "These are hurried notes from a trade fair. Make a contact of them.\n\
             Return {{keys}} as JSON.\n\
             Correct obvious typing errors in names of companies, but leave names of people as they are.\n\n\
             {{text}}",
            rewording: None,
        },
    ],
};
