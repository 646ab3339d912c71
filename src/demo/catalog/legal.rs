//! Texts: legal operations.

use super::{Case, Domain, Lineage, Refinement, Rewording, Style, Suite, Variant};

/// The prompts of this domain and what they are tested with.
pub(super) static DOMAIN: Domain =
    Domain { title: "Legal operations", team: "legal-ops", ticket_prefix: "LEG", suites: &[&CLAUSES, &PLAIN_LANGUAGE] };

static CLAUSES: Suite = Suite {
    name: "clauses",
    style: Style::Json,
    input: "clause",
    context: &[(
        "position",
        "we are the customer; liability capped at 12 months of fees; governing law Germany or Ireland",
    )],
    variants: &[
        Variant { label: "old numbering", before: "17.3. ", after: "" },
        Variant { label: "with a tracked change", before: "", after: " [inserted by counterparty]" },
    ],
    cases: &[
        Case {
            name: "unlimited liability for customer",
            input: "The Customer shall indemnify the Supplier against all losses of whatever kind, without \
             limitation.",
            expected: r#"{"risk":"high","topic":"indemnity","reason":"Uncapped indemnity by us; our position caps liability at 12 months of fees."}"#,
            answer: None,
            wrong: r#"{"risk":"low","topic":"indemnity","reason":"Standard indemnity."}"#,
            reason: r#"risk: expected "high" for an uncapped indemnity, got "low""#,
        },
        Case {
            name: "acceptable cap",
            input: "Each party's aggregate liability is limited to the fees paid in the preceding twelve months.",
            expected: r#"{"risk":"low","topic":"liability","reason":"Matches our cap of 12 months of fees."}"#,
            answer: None,
            wrong: r#"{"risk":"medium","topic":"liability","reason":"Liability is limited."}"#,
            reason: r#"risk: matches our position, expected "low""#,
        },
        Case {
            name: "foreign law",
            input: "This agreement is governed by the laws of the State of Delaware.",
            expected: r#"{"risk":"medium","topic":"governing_law","reason":"Delaware is neither Germany nor Ireland."}"#,
            answer: None,
            wrong: r#"{"risk":"low","topic":"governing_law","reason":"Common choice of law."}"#,
            reason: "Deviation from our position was not noticed",
        },
        Case {
            name: "silent renewal",
            input: "The term renews for successive periods of three years unless cancelled 180 days before its end.",
            expected: r#"{"risk":"high","topic":"renewal","reason":"Three-year renewal with a notice period of 180 days."}"#,
            answer: None,
            wrong: r#"{"risk":"low","topic":"renewal","reason":"Automatic renewal is market standard."}"#,
            reason: "Misses the long renewal period and notice",
        },
        Case {
            name: "double negative",
            input: "Nothing herein shall not oblige the Supplier to maintain the agreed service levels.",
            expected: r#"{"risk":"medium","topic":"service_levels","reason":"The double negative makes the obligation unclear; ask for plain wording."}"#,
            answer: None,
            wrong: r#"{"risk":"low","topic":"service_levels","reason":"Supplier must keep the service levels."}"#,
            reason: "Overlooks the unclear wording",
        },
        Case {
            name: "data use for training",
            input: "Supplier may use Customer Content to develop and improve its models.",
            expected: r#"{"risk":"high","topic":"data_use","reason":"Our content would be used for training without consent."}"#,
            answer: None,
            wrong: r#"{"risk":"medium","topic":"confidentiality","reason":"Supplier may use some data."}"#,
            reason: r#"topic: expected "data_use"; risk: expected "high""#,
        },
    ],
    refinements: &[
        Refinement {
            note: "measure against our position",
            text: "Compare with our position, not with what is common in the market.",
        },
        Refinement { note: "both directions", text: "A clause that favours us is low risk even when it is unusual." },
        Refinement {
            note: "unclear is a risk",
            text: "Unclear wording is at least a medium risk; say what is unclear.",
        },
        Refinement { note: "quote the trigger", text: "The reason names the words or figures that decide." },
        Refinement {
            note: "closed topics",
            text: "topic is one of indemnity, liability, governing_law, renewal, service_levels, data_use, \
             confidentiality, other.",
        },
        Refinement { note: "no advice", text: "Do not draft a counter-proposal." },
        Refinement { note: "pure json", text: "Only the JSON object, keys risk, topic and reason." },
    ],
    lineages: &[
        Lineage {
            name: "legal/clause-risk",
            title: "Clause risk",
            template: Some("compliance/clause-review"),
            versions: 6,
            tags: &["contracts", "risk"],
            description: "Marks the clauses of a contract that a lawyer has to read.",
            system: None,
            text: "Assess one clause of a contract from our point of view.\n\
             Our position: {{position}}.\n\
             Return JSON with risk (low, medium, high), topic and a reason of one sentence.\n\n\
             Clause:\n\
             {{clause}}",
            rewording: Some(Rewording {
                note: "explain the levels",
                from: "Return JSON with risk (low, medium, high), topic and a reason of one sentence.",
                to: "Return JSON with risk (low: sign; medium: negotiate; high: do not sign), topic and a reason \
                 of one sentence.",
            }),
        },
        Lineage {
            name: "legal/nda-review",
            title: "NDA review",
            template: Some("compliance/clause-review"),
            versions: 4,
            tags: &["contracts", "nda"],
            description: "For incoming confidentiality agreements, which are never negotiated for long.",
            system: None,
            text: "The clause below is from a confidentiality agreement that another company sent us.\n\
             Position: {{position}}.\n\
             Say how risky signing would be. Answer in JSON with risk, topic and reason.\n\n\
             {{clause}}",
            rewording: None,
        },
        Lineage {
            name: "legal/vendor-terms",
            title: "Vendor terms check",
            template: Some("compliance/clause-review"),
            versions: 4,
            tags: &["contracts", "procurement"],
            description: "Used by procurement for click-through terms.",
            system: Some(
                "You are a contracts paralegal. You compare clauses with the position of your company and \
             report deviations as JSON, without advice.",
            ),
            text: "Position: {{position}}\n\
             Clause: {{clause}}",
            rewording: None,
        },
    ],
};

static PLAIN_LANGUAGE: Suite = Suite {
    name: "plain-language",
    style: Style::Text,
    input: "passage",
    context: &[("reading_level", "somebody who left school at 16")],
    variants: &[
        Variant { label: "numbered paragraph", before: "(2) ", after: "" },
        Variant { label: "with footnote", before: "", after: " [3]" },
    ],
    cases: &[
        Case {
            name: "deadline with exception",
            input: "The consumer may withdraw within fourteen days of receipt, save where the seal of audio \
             recordings has been broken.",
            expected: "14 days from receipt; exception: opened audio recordings.",
            answer: Some(
                "You can change your mind within 14 days after you got the goods. This does not apply to \
             audio recordings once you have broken the seal.",
            ),
            wrong: "You can return everything within 14 days of ordering.",
            reason: "Wrong start of the period, and the exception is gone",
        },
        Case {
            name: "liability for others",
            input: "The tenant shall be answerable for damage caused by persons whom he has admitted to the \
             premises.",
            expected: "You pay for damage done by your guests.",
            answer: Some("If people you let into the flat break something, you have to pay for it."),
            wrong: "Guests have to pay for the damage they cause.",
            reason: "Reverses who is liable",
        },
        Case {
            name: "may is not must",
            input: "The authority may grant an extension upon application.",
            expected: "An extension is possible on request, not guaranteed.",
            answer: Some("You can ask for more time. The office can say yes, but it does not have to."),
            wrong: "You get more time if you ask for it.",
            reason: r#""May" became a right"#,
        },
        Case {
            name: "double condition",
            input: "Compensation is due where the delay exceeds three hours and is not caused by extraordinary \
             circumstances.",
            expected: "Both conditions are named.",
            answer: Some(
                "You get money if you are more than three hours late and the delay was not caused by \
             something exceptional, such as a storm.",
            ),
            wrong: "You get money if you are more than three hours late.",
            reason: "One of two conditions is missing",
        },
        Case {
            name: "cross reference",
            input: "Section 4 applies mutatis mutandis.",
            expected: "Says that Section 4 counts here too, adapted; suggests looking it up.",
            answer: Some("The rules of Section 4 count here too, with the changes that make sense."),
            wrong: "Section 4 does not apply here.",
            reason: "Meaning reversed",
        },
        Case {
            name: "silence means consent",
            input: "Changes are deemed accepted unless the customer objects within six weeks.",
            expected: "Not answering within six weeks counts as agreement.",
            answer: Some("If you do not say no within six weeks, the changes count as accepted."),
            wrong: "The company asks for your consent; you have six weeks to agree.",
            reason: "Silence is consent here",
        },
    ],
    refinements: &[
        Refinement { note: "may and must", text: "Keep the difference between may, must and should." },
        Refinement { note: "all conditions", text: "Name every condition and every exception." },
        Refinement { note: "when the clock starts", text: "Say from when a period is counted." },
        Refinement { note: "who pays", text: r#"Say who has to do what, with "you" for the reader."# },
        Refinement { note: "no advice in plain texts", text: "Explain; do not advise." },
        Refinement { note: "sentence length", text: "Sentences of at most 15 words." },
    ],
    lineages: &[
        Lineage {
            name: "legal/plain-language",
            title: "Plain language",
            template: Some("compliance/clause-review"),
            versions: 4,
            tags: &["plain-language"],
            description: "Rewrites terms for the help pages.",
            system: None,
            text: "Rewrite a passage of a legal text for {{reading_level}}.\n\
             Nothing may be added and nothing may be lost.\n\
             Use \"you\" and short words.\n\n\
             {{passage}}",
            rewording: None,
        },
        Lineage {
            name: "legal/tenant-letter",
            title: "Letter explained",
            template: None,
            versions: 3,
            tags: &["plain-language", "public-service"],
            description: "Used by an advice centre for letters from authorities.",
            system: None,
            text: "People bring letters from landlords and offices. Explain the passage to {{reading_level}}.\n\
             What does it mean, what does the person have to do, and until when?\n\n\
             {{passage}}",
            rewording: None,
        },
    ],
};
