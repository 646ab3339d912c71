//! Texts: retrieval.

use super::{Case, Domain, Lineage, Refinement, Rewording, Style, Suite, Variant};

/// The prompts of this domain and what they are tested with.
pub(super) static DOMAIN: Domain = Domain {
    title: "Retrieval",
    team: "search-answers",
    ticket_prefix: "RAG",
    suites: &[&GROUNDED_ANSWERS, &QUERY_REWRITING],
};

static GROUNDED_ANSWERS: Suite = Suite {
    name: "grounded-answers",
    style: Style::Text,
    input: "question",
    context: &[(
        "passages",
        "[1] Employees accrue 2.5 days of leave per month. [2] Up to 5 unused days carry over until \
         31 March. [3] Leave during probation needs the approval of the manager. [4] Parental leave follows \
         national law; HR advises individually.",
    )],
    variants: &[
        Variant { label: "misleading premise", before: "As we all know, unused leave never expires. ", after: "" },
        Variant { label: "asks for a short answer", before: "", after: " One sentence please." },
    ],
    cases: &[
        Case {
            name: "single passage",
            input: "How many days of leave do I earn per month?",
            expected: "2.5 days per month [1]",
            answer: Some("You earn 2.5 days of leave per month [1]."),
            wrong: "You earn 2 days of leave per month [1].",
            reason: "Contradicts passage 1: 2.5 days, not 2",
        },
        Case {
            name: "combine two passages",
            input: "How many days do I have after a full year if I took none, and what happens to them in April?",
            expected: "30 days are earned [1]; 5 carry over until 31 March, so in April none of the carried days \
             are left [2].",
            answer: Some(
                "After twelve months you have 30 days [1]. Up to five of them carry over, and those \
             expire on 31 March [2].",
            ),
            wrong: "After a year you have 30 days, all of which carry over [1][2].",
            reason: "Passage 2 limits the carry-over to 5 days",
        },
        Case {
            name: "answer is not there",
            input: "Does the company pay for a gym?",
            expected: "Says that the passages do not answer this; no citation.",
            answer: Some("The documents I have do not say anything about gym membership."),
            wrong: "Yes, the company supports a healthy lifestyle and covers gym fees up to 30 EUR [4].",
            reason: "Invented: no passage mentions a gym",
        },
        Case {
            name: "condition must be kept",
            input: "Can I take leave in my second month?",
            expected: "Yes, with the manager's approval, if still in probation [3].",
            answer: Some("Yes. During probation you need your manager's approval [3]."),
            wrong: "Yes, you can take leave at any time [1].",
            reason: "Drops the condition of passage 3",
        },
        Case {
            name: "hands over to people",
            input: "How long is parental leave for twins?",
            expected: "Refers to national law and HR [4], gives no number.",
            answer: Some("Parental leave follows national law; HR advises you on your case [4]."),
            wrong: "Parental leave for twins is 18 months [4].",
            reason: "Gives a number that is not in passage 4",
        },
        Case {
            name: "wrong citation",
            input: "Until when can I use last year's days?",
            expected: "Until 31 March [2]",
            answer: Some("Until 31 March, at most five days [2]."),
            wrong: "Until 31 March [3].",
            reason: "Cites passage 3; the statement is in passage 2",
        },
    ],
    refinements: &[
        Refinement {
            note: "cite each claim",
            text: "Put the number of the passage behind every claim, inside the sentence.",
        },
        Refinement {
            note: "say when it is not there",
            text: "If the passages do not contain the answer, say so in one sentence and stop.",
        },
        Refinement {
            note: "conditions stay",
            text: "Keep conditions, limits and dates that the passages attach to a rule.",
        },
        Refinement {
            note: "correct false premises",
            text: "If the question assumes something that the passages contradict, say that first.",
        },
        Refinement {
            note: "no outside knowledge",
            text: "Use nothing that you know from elsewhere, not even definitions.",
        },
        Refinement {
            note: "combine passages",
            text: "When the answer needs two passages, give the steps and cite both.",
        },
        Refinement {
            note: "calm refusals",
            text: "Do not apologise for missing information and do not speculate about where it may be.",
        },
    ],
    lineages: &[
        Lineage {
            name: "rag/answer-with-citations",
            title: "Answer with citations",
            template: Some("retrieval/grounded-answer"),
            versions: 6,
            tags: &["rag", "citations"],
            description: "The main prompt of the internal search; every claim carries its source.",
            system: None,
            text: "Answer the question from the numbered passages only.\n\
             Passages:\n\
             {{passages}}\n\n\
             Write one to three sentences and cite passages like [2].\n\
             Question: {{question}}",
            rewording: Some(Rewording {
                note: "make citations exact",
                from: "Write one to three sentences and cite passages like [2].",
                to: "Write one to three sentences. Cite the one passage that contains the claim, like [2], never \
                 several for safety.",
            }),
        },
        Lineage {
            name: "rag/answer-strict",
            title: "Strict answer",
            template: Some("retrieval/grounded-answer"),
            versions: 5,
            tags: &["rag", "compliance"],
            description: "For regulated content, where no answer is better than a loose one.",
            system: None,
            text: "You answer questions about regulations within a company. An answer that is not backed by the \
             text may cost a fine.\n\
             Text: {{passages}}\n\
             First decide whether the text answers the question. If it does not, say \"Not covered.\" and \
             nothing else.\n\
             Otherwise answer in the words of the text with its number in brackets.\n\n\
             {{question}}",
            rewording: None,
        },
        Lineage {
            name: "rag/policy-helper",
            title: "HR policy helper",
            template: Some("retrieval/grounded-answer"),
            versions: 4,
            tags: &["rag", "hr"],
            description: "Behind the HR chat.",
            system: Some(
                "You help employees with questions about HR rules. You rely only on the passages that \
             come with a question, cite them by number, and send people to HR when rules leave room.",
            ),
            text: "Passages: {{passages}}\n\n\
             Employee: {{question}}",
            rewording: None,
        },
    ],
};

static QUERY_REWRITING: Suite = Suite {
    name: "query-rewriting",
    style: Style::Text,
    input: "question",
    context: &[("history", "User: Which plans include single sign-on? / Bot: Business and Enterprise.")],
    variants: &[
        Variant { label: "typed on a phone", before: "um ", after: " thx" },
        Variant { label: "in capitals", before: "", after: "?!?!" },
    ],
    cases: &[
        Case {
            name: "pronoun needs history",
            input: "and how much do they cost",
            expected: "price of the Business and Enterprise plans",
            answer: None,
            wrong: "how much do they cost",
            reason: r#""they" was not resolved"#,
        },
        Case {
            name: "already complete",
            input: "How do I rotate an API key?",
            expected: "rotate API key",
            answer: None,
            wrong: "how to rotate API key and single sign-on in Business plan",
            reason: "Adds the history to a question that stands alone",
        },
        Case {
            name: "comparison",
            input: "what's the difference",
            expected: "difference between the Business and Enterprise plans",
            answer: None,
            wrong: "difference single sign-on",
            reason: "Compares the wrong things",
        },
        Case {
            name: "topic change",
            input: "forget that, where are your servers",
            expected: "server locations / data residency",
            answer: Some("data centre locations"),
            wrong: "server locations of Business and Enterprise plans",
            reason: "Keeps the old topic after the user dropped it",
        },
        Case {
            name: "spelling errors",
            input: "cancle subscribtion refnud",
            expected: "cancel subscription refund",
            answer: None,
            wrong: "cancle subscribtion refnud",
            reason: "Spelling was not corrected, the index finds nothing",
        },
        Case {
            name: "product code kept",
            input: "error EG-4012 on import",
            expected: "error EG-4012 import",
            answer: None,
            wrong: "import error",
            reason: "The error code was dropped",
        },
    ],
    refinements: &[
        Refinement {
            note: "standalone questions",
            text: "If the question stands alone, do not add anything from the history.",
        },
        Refinement {
            note: "resolve references",
            text: r#"Replace pronouns and "the difference" by what they stand for."#,
        },
        Refinement { note: "codes stay", text: "Keep error codes, version numbers and names exactly." },
        Refinement { note: "drop politeness", text: "Drop greetings, thanks and filler words." },
        Refinement { note: "topic changes", text: "When the user changes the topic, forget the history." },
        Refinement { note: "no answers", text: "Never answer the question." },
    ],
    lineages: &[
        Lineage {
            name: "rag/rewrite-query",
            title: "Query rewriting",
            template: Some("retrieval/query-rewrite"),
            versions: 5,
            tags: &["rag", "search"],
            description: "Turns the last turn of a chat into a query for the index.",
            system: None,
            text: "Rewrite the last question of a conversation as a search query that stands by itself.\n\
             Conversation so far: {{history}}\n\
             Use three to eight words, correct spelling, no question words.\n\
             Return the query only.\n\n\
             Last question: {{question}}",
            rewording: None,
        },
        Lineage {
            name: "rag/search-intent",
            title: "Search intent",
            template: None,
            versions: 3,
            tags: &["rag", "search"],
            description: "Experiment with a query made for keyword search.",
            system: None,
            text: "The index is a plain keyword index without synonyms. Write the words that the answering page \
             probably contains.\n\
             Context: {{history}}\n\n\
             {{question}}",
            rewording: None,
        },
    ],
};
