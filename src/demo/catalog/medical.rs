//! Texts: medical intake.

use super::{Case, Domain, Lineage, Refinement, Rewording, Style, Suite, Variant};

/// The prompts of this domain and what they are tested with.
pub(super) static DOMAIN: Domain = Domain {
    title: "Medical intake",
    team: "clinical-tools",
    ticket_prefix: "MED",
    suites: &[&INTAKE, &DEIDENTIFICATION],
};

static INTAKE: Suite = Suite {
    name: "intake",
    style: Style::Json,
    input: "note",
    context: &[("urgency_levels", "emergency, same_day, routine")],
    variants: &[
        Variant { label: "dictated", before: "[dictated] ", after: "" },
        Variant { label: "relative speaks", before: "(from her daughter) ", after: "" },
    ],
    cases: &[
        Case {
            name: "chest pain",
            input: "58 y, pressure on the chest since 40 minutes, radiating into left arm, sweating.",
            expected: r#"{"urgency":"emergency","complaint":"chest pain radiating into the left arm","duration":"40 minutes","red_flags":["radiation","sweating"]}"#,
            answer: None,
            wrong: r#"{"urgency":"same_day","complaint":"chest pain","duration":"40 minutes","red_flags":[]}"#,
            reason: "urgency: chest pain with radiation is an emergency",
        },
        Case {
            name: "prescription refill",
            input: "Needs a new prescription for blood pressure tablets, feels fine.",
            expected: r#"{"urgency":"routine","complaint":"refill of antihypertensive","duration":null,"red_flags":[]}"#,
            answer: None,
            wrong: r#"{"urgency":"same_day","complaint":"high blood pressure","duration":null,"red_flags":["hypertension"]}"#,
            reason: "A refill was read as a complaint",
        },
        Case {
            name: "fever in an infant",
            input: "Baby, 7 weeks, 38.6 since this morning, drinks less.",
            expected: r#"{"urgency":"emergency","complaint":"fever at 7 weeks","duration":"since this morning","red_flags":["age under 3 months","drinks less"]}"#,
            answer: None,
            wrong: r#"{"urgency":"same_day","complaint":"fever","duration":"since this morning","red_flags":["drinks less"]}"#,
            reason: "Fever under three months is an emergency",
        },
        Case {
            name: "negated symptoms",
            input: "Cough for 5 days, no fever, no shortness of breath, no blood.",
            expected: r#"{"urgency":"routine","complaint":"cough","duration":"5 days","red_flags":[]}"#,
            answer: None,
            wrong: r#"{"urgency":"same_day","complaint":"cough","duration":"5 days","red_flags":["fever","shortness of breath"]}"#,
            reason: "Negated symptoms were listed as red flags",
        },
        Case {
            name: "sudden headache",
            input: "Worst headache of my life, began all at once an hour ago while lifting.",
            expected: r#"{"urgency":"emergency","complaint":"thunderclap headache","duration":"1 hour","red_flags":["sudden onset","worst ever"]}"#,
            answer: None,
            wrong: r#"{"urgency":"routine","complaint":"headache","duration":"1 hour","red_flags":[]}"#,
            reason: "Thunderclap headache must be an emergency",
        },
        Case {
            name: "chronic back pain",
            input: "Back hurts again since last week, like every autumn. No numbness.",
            expected: r#"{"urgency":"routine","complaint":"recurrent back pain","duration":"1 week","red_flags":[]}"#,
            answer: None,
            wrong: r#"{"urgency":"routine","complaint":"recurrent back pain","duration":"every autumn","red_flags":["numbness"]}"#,
            reason: r#"duration: expected "1 week"; numbness was denied"#,
        },
    ],
    refinements: &[
        Refinement { note: "denied symptoms", text: "Symptoms that the patient denies are never red flags." },
        Refinement {
            note: "age limits",
            text: "Fever under three months of age, or confusion above 65, is an emergency.",
        },
        Refinement { note: "higher level in doubt", text: "In doubt choose the higher urgency." },
        Refinement { note: "no diagnosis", text: "Describe complaints; make no diagnosis beyond the patient's words." },
        Refinement { note: "duration is this episode", text: "duration is that of the present episode." },
        Refinement {
            note: "words of relatives",
            text: "Treat what relatives say like the patient's words, and do not mix the two persons up.",
        },
        Refinement {
            note: "json for intake",
            text: "Return JSON with urgency, complaint, duration and red_flags only.",
        },
    ],
    lineages: &[
        Lineage {
            name: "medical/intake-summary",
            title: "Intake summary",
            template: Some("extraction/fields-to-json"),
            versions: 6,
            tags: &["intake", "triage"],
            description: "Prepares the waiting list; a nurse confirms each entry.",
            system: None,
            text: "You structure notes of the reception of a medical practice. You do not give advice.\n\
             Urgency is one of {{urgency_levels}}.\n\
             Return JSON: urgency, complaint, duration (null if unknown) and red_flags (a list).\n\n\
             Note:\n\
             {{note}}",
            rewording: Some(Rewording {
                note: "explain who reads it",
                from: "You do not give advice.",
                to: "You do not give advice; a nurse reads your result within minutes and decides.",
            }),
        },
        Lineage {
            name: "medical/phone-triage",
            title: "Phone triage",
            template: Some("classification/screen-and-escalate"),
            versions: 5,
            tags: &["triage", "phone"],
            description: "For transcripts of calls outside of office hours.",
            system: Some(
                "You sort transcripts of calls to an out-of-hours service. Missing an emergency is the \
             worst mistake, crowding the emergency room the second worst. You answer in JSON.",
            ),
            text: "Levels: {{urgency_levels}}. Give urgency, complaint, duration and red_flags for:\n\
             {{note}}",
            rewording: None,
        },
        Lineage {
            name: "medical/portal-message",
            title: "Portal message sorting",
            template: None,
            versions: 3,
            tags: &["triage", "portal"],
            description: "Messages that patients write in the portal.",
            system: None,
            text: "Patients write to their practice through a web portal. Sort the message.\n\
             Give urgency ({{urgency_levels}}), complaint, duration and red_flags as JSON.\n\
             Administrative questions are routine.\n\n\
             {{note}}",
            rewording: None,
        },
    ],
};

static DEIDENTIFICATION: Suite = Suite {
    name: "deidentification",
    style: Style::Text,
    input: "record",
    context: &[("placeholder_style", "[NAME], [DATE], [PLACE], [ID], [CONTACT]")],
    variants: &[
        Variant { label: "uppercase header", before: "PATIENT RECORD ", after: "" },
        Variant { label: "with fax header", before: "", after: " FAX 030-555-0199 PAGE 1" },
    ],
    cases: &[
        Case {
            name: "name and date",
            input: "Mrs. Hannah Vogel was admitted on 12 May 2026.",
            expected: "Mrs. [NAME] was admitted on [DATE].",
            answer: None,
            wrong: "Mrs. H. V. was admitted in May 2026.",
            reason: "Initials and month can identify the patient",
        },
        Case {
            name: "doctor is a person too",
            input: "Dr. Osei discussed the results with the patient.",
            expected: "Dr. [NAME] discussed the results with the patient.",
            answer: None,
            wrong: "Dr. Osei discussed the results with the patient.",
            reason: "Names of staff must be replaced as well",
        },
        Case {
            name: "disease named after a person",
            input: "History of Parkinson's disease and Crohn's disease.",
            expected: "History of Parkinson's disease and Crohn's disease.",
            answer: None,
            wrong: "History of [NAME]'s disease and [NAME]'s disease.",
            reason: "Names of diseases must stay",
        },
        Case {
            name: "rare place",
            input: "Works as the only vet in Hallstatt.",
            expected: "Works as the only vet in [PLACE].",
            answer: None,
            wrong: "Works as the only vet in Hallstatt.",
            reason: "The place identifies the patient",
        },
        Case {
            name: "lab values stay",
            input: "Hb 11.2 g/dl on 03/04, MRN 00482213.",
            expected: "Hb 11.2 g/dl on [DATE], MRN [ID].",
            answer: None,
            wrong: "Hb [ID] g/dl on [DATE], MRN [ID].",
            reason: "A laboratory value was removed",
        },
        Case {
            name: "contact data",
            input: "Call the son at 0171 555 2233 or write to vogel.k@post.example.",
            expected: "Call the son at [CONTACT] or write to [CONTACT].",
            answer: None,
            wrong: "Call the son at [CONTACT] or write to vogel.k@post.example.",
            reason: "The e-mail address was left in",
        },
    ],
    refinements: &[
        Refinement { note: "staff as well", text: "Replace the names of staff and relatives like those of patients." },
        Refinement { note: "eponyms stay", text: "Names of diseases, scores and drugs stay." },
        Refinement { note: "values stay", text: "Keep measurements, doses and ages up to 89." },
        Refinement {
            note: "all contact data",
            text: "Phone and fax numbers, e-mail and postal addresses are [CONTACT].",
        },
        Refinement { note: "nothing else changes", text: "Change nothing else: wording, order and line breaks stay." },
        Refinement { note: "no partial masks", text: "Replace a name or date as a whole; no initials, no years." },
    ],
    lineages: &[
        Lineage {
            name: "medical/deidentify",
            title: "De-identification",
            template: Some("compliance/redact"),
            versions: 5,
            tags: &["privacy", "research"],
            description: "Before records go to the research data set.",
            system: None,
            text: "Remove everything that identifies a person from a medical record.\n\
             Use these placeholders: {{placeholder_style}}.\n\
             Return the record and nothing else.\n\n\
             {{record}}",
            rewording: None,
        },
        Lineage {
            name: "medical/case-report",
            title: "Case report redaction",
            template: Some("compliance/redact"),
            versions: 3,
            tags: &["privacy", "publishing"],
            description: "For texts that doctors publish.",
            system: None,
            text: "Authors submit a case report. Replace what could identify the patient by \
             {{placeholder_style}}.\n\
             Jobs and places identify people when they are rare.\n\n\
             {{record}}",
            rewording: None,
        },
    ],
};
