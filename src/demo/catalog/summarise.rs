//! Texts: summarisation.

use super::{Case, Domain, Lineage, Refinement, Rewording, Style, Suite, Variant};

/// The prompts of this domain and what they are tested with.
pub(super) static DOMAIN: Domain = Domain {
    title: "Summarisation",
    team: "knowledge-tools",
    ticket_prefix: "KNOW",
    suites: &[&MEETING_NOTES, &LONG_DOCUMENTS],
};

static MEETING_NOTES: Suite = Suite {
    name: "meeting-notes",
    style: Style::Text,
    input: "transcript",
    context: &[("meeting_date", "2026-10-14")],
    variants: &[
        Variant {
            label: "with small talk",
            before: "Anna: Did you see the snow? Ben: Crazy. Okay, shall we?",
            after: "",
        },
        Variant {
            label: "crosstalk at the end",
            before: "",
            after: "Ben: Sorry, you first. Anna: No, go ahead. Ben: It was nothing.",
        },
    ],
    cases: &[
        Case {
            name: "decision with owner",
            input: "Anna: So we ship the importer on the 28th? Ben: Yes. I'll write the migration guide by Friday. \
             Anna: Good, decided.",
            expected: "Decision: importer ships on the 28th. Action: Ben writes the migration guide by Friday.",
            answer: Some(
                "Decisions\n\
             - The importer ships on 28 October.\n\n\
             Actions\n\
             - Ben: migration guide, by Friday 16 October.",
            ),
            wrong: "The team discussed the importer and a migration guide.",
            reason: "No decision and no owner in the notes",
        },
        Case {
            name: "idea that was rejected",
            input: "Carla: We could move billing to the new queue first. Dev: Too risky before the audit. Carla: \
             Fair, after the audit then.",
            expected: "Records that billing moves only after the audit; the earlier move is listed as rejected, \
             not as decided.",
            answer: Some(
                "Decisions\n\
             - Billing moves to the new queue after the audit, not before (too risky).",
            ),
            wrong: "Decisions\n\
             - Billing moves to the new queue first.",
            reason: "Reports the rejected proposal as the decision",
        },
        Case {
            name: "number corrected later",
            input: "Eli: Churn was 4.1 percent. Fay: That's September. October is 3.6. Eli: Right, 3.6.",
            expected: "Churn in October: 3.6 %.",
            answer: Some(
                "Numbers\n\
             - Churn: 3.6 % in October (September: 4.1 %).",
            ),
            wrong: "Churn was 4.1 %.",
            reason: "Keeps the number that was corrected in the meeting",
        },
        Case {
            name: "open question stays open",
            input: "Gus: Do we need legal for the new terms? Hana: Not sure, nobody asked. Gus: Let's see.",
            expected: "Open question: does legal have to review the new terms? No owner.",
            answer: Some(
                "Open\n\
             - Does legal have to review the new terms? Nobody has taken this on.",
            ),
            wrong: "Actions\n\
             - Hana asks legal to review the new terms.",
            reason: "Invents an owner for an open question",
        },
        Case {
            name: "relative dates",
            input: "Ivo: Next Wednesday we freeze. Jun: And the week after we test.",
            expected: "Freeze on 21 October 2026, tests in the week of 26 October.",
            answer: Some(
                "Dates\n\
             - Code freeze: Wednesday, 21 October 2026.\n\
             - Tests: week of 26 October.",
            ),
            wrong: "Freeze next Wednesday, tests the week after.",
            reason: "Relative dates were not turned into calendar dates",
        },
        Case {
            name: "nothing was decided",
            input: "Kim: Any updates? Lee: No, still waiting for the vendor. Kim: Same here. Okay, see you \
             tomorrow.",
            expected: "Says that there were no decisions; both wait for the vendor.",
            answer: Some("No decisions. Kim and Lee are both waiting for the vendor."),
            wrong: "Decisions\n\
             - The team decided to wait for the vendor.",
            reason: "Turns a status into a decision",
        },
    ],
    refinements: &[
        Refinement {
            note: "calendar dates",
            text: "Turn relative dates into calendar dates, counted from {{meeting_date}}.",
        },
        Refinement {
            note: "decisions need agreement",
            text: "List as a decision only what somebody agreed to. Proposals that were turned down are left out, \
             or listed as rejected.",
        },
        Refinement {
            note: "no invented owners",
            text: r#"An action without a named person gets "nobody yet" as its owner."#,
        },
        Refinement {
            note: "latest figure wins",
            text: "When a figure is corrected in the meeting, report the corrected one.",
        },
        Refinement {
            note: "leave out small talk",
            text: "Leave out greetings, small talk and remarks about the call itself.",
        },
        Refinement { note: "empty sections", text: "Leave out a section that has no entries." },
        Refinement { note: "one line each", text: "One line per entry, at most 20 words." },
    ],
    lineages: &[
        Lineage {
            name: "summarise/meeting-notes",
            title: "Meeting notes",
            template: Some("summarisation/structured-notes"),
            versions: 6,
            tags: &["meetings", "notes"],
            description: "Minutes for the wiki, made from the recorded transcript.",
            system: None,
            text: "Write the minutes of a meeting from its transcript. The meeting took place on \
             {{meeting_date}}.\n\
             Use the sections Decisions, Actions, Numbers and Open, in this order.\n\
             Every action names a person and a date if one was said.\n\
             Write for somebody who was not there.\n\n\
             Transcript:\n\
             {{transcript}}",
            rewording: Some(Rewording {
                note: "separate what was said from what was decided",
                from: "Write for somebody who was not there.",
                to: "Write for somebody who was not there and has to act on what was agreed, so never blur the \
                 line between an idea and a decision.",
            }),
        },
        Lineage {
            name: "summarise/standup-digest",
            title: "Stand-up digest",
            template: Some("summarisation/structured-notes"),
            versions: 4,
            tags: &["meetings", "chat"],
            description: "Posted to the team channel every morning.",
            system: None,
            text: "Condense the stand-up of {{meeting_date}} into a message for the team channel.\n\
             For each person: what is done, what is next, what is in the way. Blockers come first.\n\
             At most 120 words in all.\n\n\
             {{transcript}}",
            rewording: None,
        },
        Lineage {
            name: "summarise/customer-call",
            title: "Customer call notes",
            template: Some("summarisation/structured-notes"),
            versions: 4,
            tags: &["sales", "notes"],
            description: "Goes into the CRM after a call.",
            system: Some(
                "You take notes of calls between account managers and customers. You write what was \
             agreed and what the customer cares about, and nothing that was not said.",
            ),
            text: "Call of {{meeting_date}}. Write the CRM note:\n\
             {{transcript}}",
            rewording: None,
        },
    ],
};

static LONG_DOCUMENTS: Suite = Suite {
    name: "long-documents",
    style: Style::Text,
    input: "document",
    context: &[("max_words", "120")],
    variants: &[
        Variant {
            label: "pasted with page numbers",
            before: "Page 1 of 9\n",
            after: "\n\
             Page 2 of 9",
        },
        Variant { label: "draft watermark", before: "DRAFT - NOT APPROVED\n", after: "" },
    ],
    cases: &[
        Case {
            name: "outage post-mortem",
            input: "At 09:08 a deploy raised the connection limit of the pool. By 09:12 the primary refused \
             connections. We rolled back at 09:31. 7,400 requests failed, no data was lost. The limit is now \
             checked in CI.",
            expected: "Cause (pool limit in a deploy), duration 09:08-09:31, impact 7,400 failed requests and no \
             data loss, remedy in CI.",
            answer: Some(
                "A deploy at 09:08 raised the pool's connection limit and overloaded the primary; the \
             rollback at 09:31 ended it. 7,400 requests failed and no data was lost. CI now checks the limit.",
            ),
            wrong: "The database was down for a while because of too many connections. The team fixed it.",
            reason: "Leaves out duration and impact, and blames the database",
        },
        Case {
            name: "quarterly figures",
            input: "Revenue grew 12 % to 8.4 million, driven by the enterprise plan. Gross margin fell from 71 % \
             to 68 % because of higher hosting costs. Guidance is unchanged.",
            expected: "Revenue +12 % to 8.4 M, margin down to 68 % from hosting costs, guidance unchanged.",
            answer: Some(
                "Revenue rose by 12 % to 8.4 million, thanks to the enterprise plan. Margin slipped three \
             points to 68 % on hosting costs; guidance stays.",
            ),
            wrong: "A strong quarter: revenue grew 12 % and guidance was confirmed.",
            reason: "Omits the fall of the gross margin",
        },
        Case {
            name: "survey with small sample",
            input: "We interviewed nine users. Six found the export at once, three did not. All nine liked the new \
             colours. We cannot say whether this holds for administrators.",
            expected: "Six of nine found the export; limits: small sample, no administrators.",
            answer: Some(
                "In nine interviews, six people found the export at once. All liked the colours. The \
             sample is small and contains no administrators.",
            ),
            wrong: "Two thirds of our users find the export at once, and everybody likes the new colours.",
            reason: "Generalises from nine interviews to all users",
        },
        Case {
            name: "policy change",
            input: "From 1 January, expenses above 50 EUR need a receipt in the tool. Below that a note suffices. \
             Travel is excepted and follows the travel policy.",
            expected: "From 1 January: receipt above 50 EUR, note below, travel excepted.",
            answer: Some(
                "From 1 January, expenses above 50 EUR need a receipt; below that a note is enough. \
             Travel keeps its own policy.",
            ),
            wrong: "From January all expenses need a receipt.",
            reason: "Drops the threshold and the exception for travel",
        },
        Case {
            name: "conflicting statements",
            input: "Section 2 says the migration takes two weekends. The schedule in the appendix shows three. The \
             author asks to confirm.",
            expected: "Mentions the contradiction (two or three weekends) and that it needs confirmation.",
            answer: Some(
                "The text says two weekends for the migration, its schedule shows three; this has to be \
             confirmed.",
            ),
            wrong: "The migration takes two weekends.",
            reason: "Hides a contradiction in the source",
        },
        Case {
            name: "technical proposal",
            input: "We propose to replace the nightly batch with change data capture. It costs about 900 EUR a \
             month more and cuts the delay from 24 hours to 5 minutes. Risk: the team has no experience with the \
             connector.",
            expected: "Proposal, cost 900 EUR a month, benefit 24 h to 5 min, risk lack of experience.",
            answer: Some(
                "The proposal replaces the nightly batch by change data capture: the delay falls from 24 \
             hours to 5 minutes for about 900 EUR a month. The team lacks experience with the connector.",
            ),
            wrong: "Change data capture would make our data fresher at little cost.",
            reason: "No figures for cost and delay",
        },
    ],
    refinements: &[
        Refinement { note: "figures survive", text: "Keep every figure that a decision depends on, with its unit." },
        Refinement { note: "bad news too", text: "Mention what got worse as prominently as what got better." },
        Refinement {
            note: "limits of the evidence",
            text: "Say how the evidence is limited: sample size, missing groups, open points.",
        },
        Refinement {
            note: "contradictions are named",
            text: "When the document contradicts itself, say so instead of choosing.",
        },
        Refinement { note: "conclusion first", text: "The first sentence is the conclusion, not the topic." },
        Refinement { note: "exceptions", text: "Do not drop thresholds and exceptions of rules." },
    ],
    lineages: &[
        Lineage {
            name: "summarise/incident-report",
            title: "Incident summary",
            template: Some("summarisation/executive-brief"),
            versions: 4,
            tags: &["incidents", "summary"],
            description: "For the status page archive and the monthly review.",
            system: None,
            text: "Summarise the incident report in at most {{max_words}} words.\n\
             Cover cause, time span, impact and what has been changed so that it does not happen again, in this \
             order.\n\
             Name no persons. Do not soften the impact.\n\n\
             {{document}}",
            rewording: Some(Rewording {
                note: "do not blame tools",
                from: "Name no persons.",
                to: "Name no persons and blame no tool; describe the chain of events.",
            }),
        },
        Lineage {
            name: "summarise/executive-brief",
            title: "Executive brief",
            template: Some("summarisation/executive-brief"),
            versions: 5,
            tags: &["leadership", "summary"],
            description: "One paragraph on top of long documents.",
            system: None,
            text: "Write a brief for an executive who reads nothing but this paragraph.\n\
             At most {{max_words}} words. What is it about, what is being asked, what does it cost, what can go \
             wrong?\n\
             Plain sentences, no bullet points, no praise.\n\n\
             Document:\n\
             {{document}}",
            rewording: None,
        },
    ],
};
