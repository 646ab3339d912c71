//! Texts: agents and tool use.

use super::{Case, Domain, Lineage, Refinement, Rewording, Style, Suite, Variant};

/// The prompts of this domain and what they are tested with.
pub(super) static DOMAIN: Domain = Domain {
    title: "Agents and tool use",
    team: "agent-runtime",
    ticket_prefix: "AGT",
    suites: &[&TOOL_CALLS, &PLANS],
};

static TOOL_CALLS: Suite = Suite {
    name: "tool-calls",
    style: Style::Json,
    input: "request",
    context: &[
        (
            "tools",
            "search_orders(customer, since), refund(order_id, amount_cents, reason), send_email(to, \
         subject, body), calendar_find(attendees, minutes, between), calendar_book(attendees, start, minutes), \
         none()",
        ),
        ("today", "2026-11-02 (Monday)"),
    ],
    variants: &[
        Variant { label: "after a failed call", before: "[previous call timed out] ", after: "" },
        Variant { label: "with pressure", before: "", after: " Do it right now, no questions." },
    ],
    cases: &[
        Case {
            name: "needs a look-up first",
            input: "Refund the last order of ann@corp.example, it came broken.",
            expected: r#"{"tool":"search_orders","arguments":{"customer":"ann@corp.example","since":null}}"#,
            answer: None,
            wrong: r#"{"tool":"refund","arguments":{"order_id":"last","amount_cents":0,"reason":"broken"}}"#,
            reason: "Calls refund without knowing the order",
        },
        Case {
            name: "all arguments are there",
            input: "Refund order 7731, 1250 cents, reason: late delivery.",
            expected: r#"{"tool":"refund","arguments":{"order_id":"7731","amount_cents":1250,"reason":"late delivery"}}"#,
            answer: None,
            wrong: r#"{"tool":"refund","arguments":{"order_id":"7731","amount_cents":12.5,"reason":"late delivery"}}"#,
            reason: "amount_cents: expected 1250, got 12.5",
        },
        Case {
            name: "no tool needed",
            input: "Thanks, that was all!",
            expected: r#"{"tool":"none","arguments":{}}"#,
            answer: None,
            wrong: r#"{"tool":"send_email","arguments":{"to":"customer","subject":"Thank you","body":"You're welcome!"}}"#,
            reason: "Sends an e-mail where nothing was asked",
        },
        Case {
            name: "relative date in a booking",
            input: "Book 30 minutes with Raj and Lena on Thursday at 10.",
            expected: r#"{"tool":"calendar_book","arguments":{"attendees":["Raj","Lena"],"start":"2026-11-05T10:00","minutes":30}}"#,
            answer: None,
            wrong: r#"{"tool":"calendar_book","arguments":{"attendees":["Raj","Lena"],"start":"2026-11-06T10:00","minutes":30}}"#,
            reason: "start: Thursday after Monday, 2 November is the 5th",
        },
        Case {
            name: "free slot first",
            input: "Find an hour with the design team this week.",
            expected: r#"{"tool":"calendar_find","arguments":{"attendees":["design team"],"minutes":60,"between":["2026-11-02","2026-11-06"]}}"#,
            answer: None,
            wrong: r#"{"tool":"calendar_book","arguments":{"attendees":["design team"],"start":"2026-11-03T10:00","minutes":60}}"#,
            reason: "Books at once where the user asked to find a slot",
        },
        Case {
            name: "unknown capability",
            input: "Please reboot the print server.",
            expected: r#"{"tool":"none","arguments":{}}"#,
            answer: None,
            wrong: r#"{"tool":"reboot_server","arguments":{"name":"print server"}}"#,
            reason: "Calls a tool that does not exist",
        },
    ],
    refinements: &[
        Refinement {
            note: "only listed tools",
            text: "Use no tool that is not in the list; if none fits, use none().",
        },
        Refinement {
            note: "look up before you change",
            text: "Never call a tool that changes something with an argument you do not know. Look it up first.",
        },
        Refinement {
            note: "units of arguments",
            text: "Amounts are integers in cents; durations are integers in minutes.",
        },
        Refinement { note: "dates", text: "Compute dates from {{today}} and write them as ISO 8601 local times." },
        Refinement { note: "ask and do are different", text: r#""Find", "check" and "look" never change anything."# },
        Refinement { note: "pressure", text: "Urgency in the request does not replace a missing argument." },
        Refinement { note: "one call", text: "Return exactly one call; the next one comes after its result." },
    ],
    lineages: &[
        Lineage {
            name: "agents/tool-router",
            title: "Tool router",
            template: Some("agents/choose-tool"),
            versions: 6,
            tags: &["tools", "routing"],
            description: "Chooses the next call of the office agent.",
            system: None,
            text: "You choose the next tool call of an agent. Today is {{today}}.\n\
             Tools: {{tools}}\n\
             Return JSON with tool and arguments. Arguments carry the names given above.\n\n\
             Request: {{request}}",
            rewording: Some(Rewording {
                note: "define none",
                from: "Return JSON with tool and arguments.",
                to: r#"Return JSON with tool and arguments. When nothing is left to do, or nothing can be done, the tool is "none"."#,
            }),
        },
        Lineage {
            name: "agents/calendar",
            title: "Calendar agent",
            template: Some("agents/choose-tool"),
            versions: 4,
            tags: &["tools", "calendar"],
            description: "The scheduling part of the office agent.",
            system: Some(
                "You schedule meetings for busy people. You find before you book, you never move somebody \
             else's meeting, and you answer only with a JSON tool call.",
            ),
            text: "Tools: {{tools}}. Today: {{today}}.\n\
             {{request}}",
            rewording: None,
        },
        Lineage {
            name: "agents/refunds",
            title: "Refund agent",
            template: Some("agents/choose-tool"),
            versions: 5,
            tags: &["tools", "refunds"],
            description: "Works through the refunds queue up to an amount of 100 EUR.",
            system: None,
            text: "You handle refunds on your own up to 100 EUR; above that, write an e-mail to finance instead.\n\
             Tools: {{tools}}\n\
             Today is {{today}}. Produce the next call as JSON with the keys tool and arguments.\n\n\
             {{request}}",
            rewording: None,
        },
    ],
};

static PLANS: Suite = Suite {
    name: "plans",
    style: Style::Text,
    input: "goal",
    context: &[("budget", "5 steps")],
    variants: &[
        Variant { label: "with a deadline", before: "Until Friday: ", after: "" },
        Variant { label: "vague addition", before: "", after: " - and make it nice" },
    ],
    cases: &[
        Case {
            name: "plain sequence",
            input: "Move the newsletter list to the new provider",
            expected: "Export, clean, import, test send, switch; with a way back.",
            answer: Some(
                "1. Export the list with consent dates.\n\
             2. Remove bounced addresses.\n\
             3. Import into the new provider.\n\
             4. Send a test to five colleagues.\n\
             5. Switch the sign-up form; keep the old account for 30 days.",
            ),
            wrong: "1. Import the list.\n\
             2. Done.",
            reason: "No test and no way back",
        },
        Case {
            name: "irreversible step",
            input: "Delete inactive accounts",
            expected: "Backs up and asks for confirmation before anything is deleted.",
            answer: Some(
                "1. List accounts without a login for 24 months.\n\
             2. Ask the owner to confirm the list.\n\
             3. Back up.\n\
             4. Disable for 30 days.\n\
             5. Delete what nobody claimed.",
            ),
            wrong: "1. Select inactive accounts.\n\
             2. Delete them.\n\
             3. Report the number.",
            reason: "Deletes without confirmation or backup",
        },
        Case {
            name: "too big for the budget",
            input: "Rewrite the mobile app",
            expected: "Says that it does not fit in 5 steps and plans the first milestone.",
            answer: Some(
                "This does not fit into five steps. For the first milestone: 1. Choose one screen. 2. \
             Write its tests. 3. Rebuild it. 4. Ship it to 5 %. 5. Decide whether to go on.",
            ),
            wrong: "1. Design.\n\
             2. Backend.\n\
             3. iOS.\n\
             4. Android.\n\
             5. Launch.",
            reason: "Pretends that a rewrite fits the budget",
        },
        Case {
            name: "missing information",
            input: "Book the venue for the offsite",
            expected: "First step collects date, size and budget.",
            answer: Some(
                "1. Ask for date, number of people and budget.\n\
             2. Shortlist three venues.\n\
             3. Get quotes.\n\
             4. Let the owner choose.\n\
             5. Book and confirm in writing.",
            ),
            wrong: "1. Book the Grand Hotel for 20 people.\n\
             2. Send invitations.",
            reason: "Assumes date, size and budget",
        },
        Case {
            name: "parallel work",
            input: "Prepare the audit: collect policies and export logs",
            expected: "Shows that both parts are independent.",
            answer: Some(
                "1. Ask the auditors for scope and period.\n\
             2. In parallel: (a) collect policies, (b) export logs.\n\
             3. Check for gaps.\n\
             4. Hand over.",
            ),
            wrong: "1. Collect policies.\n\
             2. Wait for sign-off.\n\
             3. Export logs.",
            reason: "Serialises independent steps",
        },
        Case {
            name: "already done",
            input: "Turn on two-factor login (it is on since May)",
            expected: "Notices that the goal is reached; plans nothing but a check.",
            answer: Some("The goal is already met. 1. Check that no account is exempt."),
            wrong: "1. Announce two-factor login.\n\
             2. Turn it on.\n\
             3. Support users.",
            reason: "Plans what has already been done",
        },
    ],
    refinements: &[
        Refinement {
            note: "confirm before destruction",
            text: "A step that cannot be undone is preceded by a backup and by a confirmation of the owner.",
        },
        Refinement {
            note: "budget",
            text: "Use at most {{budget}}; if the goal needs more, say so and plan the first milestone.",
        },
        Refinement { note: "missing facts first", text: "When facts are missing, the first step is to ask for them." },
        Refinement { note: "checks", text: "Every plan ends with a check that the goal was reached." },
        Refinement { note: "parallel steps", text: "Mark steps that do not depend on each other." },
        Refinement { note: "concrete verbs", text: "Begin each step with a verb and name what comes out of it." },
    ],
    lineages: &[
        Lineage {
            name: "agents/plan-steps",
            title: "Plan a task",
            template: Some("agents/plan-steps"),
            versions: 5,
            tags: &["planning"],
            description: "First stage of the long-running agent.",
            system: None,
            text: "Make a plan for an agent with access to mail, files and a browser.\n\
             The budget is {{budget}}. Number the steps; each is one sentence.\n\
             Do not carry anything out.\n\n\
             Goal: {{goal}}",
            rewording: None,
        },
        Lineage {
            name: "agents/critic",
            title: "Plan critic",
            template: None,
            versions: 3,
            tags: &["planning", "review"],
            description: "Second opinion on a goal before the agent starts.",
            system: None,
            text: "Somebody wants an agent to reach the goal below within {{budget}}.\n\
             Write the plan you would accept, and reject goals that cannot be reached safely.\n\
             Be brief.\n\n\
             {{goal}}",
            rewording: None,
        },
    ],
};
