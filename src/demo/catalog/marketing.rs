//! Texts: marketing copy.

use super::{Case, Domain, Lineage, Refinement, Rewording, Style, Suite, Variant};

/// The prompts of this domain and what they are tested with.
pub(super) static DOMAIN: Domain = Domain {
    title: "Marketing copy",
    team: "brand-studio",
    ticket_prefix: "MKT",
    suites: &[&PRODUCT_COPY, &SUBJECT_LINES],
};

static PRODUCT_COPY: Suite = Suite {
    name: "product-copy",
    style: Style::Text,
    input: "facts",
    context: &[("brand_voice", "warm, concrete, no superlatives"), ("max_words", "60")],
    variants: &[
        Variant { label: "bullet list input", before: "-", after: "" },
        Variant { label: "with competitor mention", before: "", after: " (better than the one by Lumora)" },
    ],
    cases: &[
        Case {
            name: "enamel mug",
            input: "Enamel mug, 350 ml, dishwasher-safe, made in Portugal, 18 EUR",
            expected: "Mentions size, care and origin; no invented features.",
            answer: Some(
                "A mug for the garden table and the camp fire: 350 ml of enamelled steel, made in \
             Portugal. It goes into the dishwasher and shrugs off a fall.",
            ),
            wrong: "The best enamel mug in the world! Unbreakable, microwave-safe, and loved by thousands.",
            reason: "Superlative, and two invented claims (microwave-safe, thousands)",
        },
        Case {
            name: "running socks",
            input: "Running socks, merino blend (61 %), no seams, sizes 36-46, 24 EUR for two pairs",
            expected: "Names merino share and the seamless toe; keeps the price for two pairs.",
            answer: Some(
                "Sixty-one percent merino keeps your feet dry, and a toe without seams keeps them quiet. \
             Two pairs for 24 EUR, sizes 36 to 46.",
            ),
            wrong: "100 % merino socks for 24 EUR a pair.",
            reason: "Wrong share of merino and wrong price unit",
        },
        Case {
            name: "refurbished laptop",
            input: "Refurbished laptop, 16 GB, battery at least 85 %, 2 years warranty, light scratches possible",
            expected: "States that it is refurbished and may have scratches.",
            answer: Some(
                "Second life, full warranty: 16 GB of memory, a battery with at least 85 % of its \
             strength, two years of cover. Light scratches tell you it has been places.",
            ),
            wrong: "Brand-new performance: 16 GB laptop with 2 years warranty.",
            reason: "Hides that the laptop is refurbished",
        },
        Case {
            name: "food supplement",
            input: "Magnesium capsules, 90 pieces, 300 mg per day, vegan",
            expected: "Makes no health claim beyond the approved ones.",
            answer: Some(
                "Ninety vegan capsules, 300 mg of magnesium a day. Magnesium contributes to normal muscle \
             function.",
            ),
            wrong: "Say goodbye to migraine and insomnia with our magnesium capsules!",
            reason: "Unlawful health claim",
        },
        Case {
            name: "children's bike",
            input: "Kids' bike, 16 inch, 6.1 kg, age 4-6, without hand brake at the rear",
            expected: "Mentions weight and age; does not promise safety.",
            answer: Some(
                "At 6.1 kg it is light enough to be carried home by its rider. Sixteen-inch wheels for \
             ages 4 to 6, with a coaster brake at the rear.",
            ),
            wrong: "The safest bike for your child, with brakes at both wheels.",
            reason: "Promises safety and brakes that the facts do not contain",
        },
        Case {
            name: "limited edition print",
            input: "Screen print, 50 x 70 cm, edition of 120, signed, unframed",
            expected: "Says edition of 120, signed, unframed.",
            answer: Some(
                "One of 120, signed by hand: a screen print of 50 x 70 cm that waits for a frame of your \
             choice.",
            ),
            wrong: "A unique original, framed and ready to hang.",
            reason: "Not unique, not framed",
        },
    ],
    refinements: &[
        Refinement {
            note: "only given facts",
            text: "Use only the facts given. Leave out what is unknown instead of filling in.",
        },
        Refinement {
            note: "no superlatives",
            text: r#"No superlatives, no exclamation marks, no "unlock", "elevate" or "game-changing"."#,
        },
        Refinement { note: "honest about flaws", text: "Mention flaws and conditions; say them kindly." },
        Refinement {
            note: "health claims",
            text: "Make no claims about health, safety or the environment beyond the facts.",
        },
        Refinement { note: "units and prices", text: "Copy figures, units and prices exactly." },
        Refinement { note: "no competitors", text: "Do not mention competitors, even when the facts do." },
        Refinement { note: "length limit", text: "At most {{max_words}} words." },
    ],
    lineages: &[
        Lineage {
            name: "marketing/product-description",
            title: "Product description",
            template: Some("generation/brand-copy"),
            versions: 5,
            tags: &["copy", "shop"],
            description: "Texts for the shop; merchants approve them one by one.",
            system: None,
            text: "Write a product description for our shop.\n\
             Voice: {{brand_voice}}. At most {{max_words}} words, one paragraph.\n\
             Open with the moment of use, not with the name of the product.\n\n\
             Facts:\n\
             {{facts}}",
            rewording: Some(Rewording {
                note: "forbid fillers",
                from: "Open with the moment of use, not with the name of the product.",
                to: "Open with the moment of use, not with the name of the product. Every sentence carries a fact.",
            }),
        },
        Lineage {
            name: "marketing/social-post",
            title: "Social post",
            template: Some("generation/brand-copy"),
            versions: 4,
            tags: &["copy", "social"],
            description: "Short posts for the weekly product feature.",
            system: None,
            text: "Write a post about a product for people who follow our brand.\n\
             Voice: {{brand_voice}}. One idea, at most {{max_words}} words, no hashtags, no emoji.\n\
             End with a reason to look, not with a call to buy.\n\n\
             {{facts}}",
            rewording: None,
        },
        Lineage {
            name: "marketing/catalogue",
            title: "Printed catalogue entry",
            template: None,
            versions: 2,
            tags: &["copy", "print"],
            description: "For the spring catalogue.",
            system: None,
            text: "Catalogue entries are read slowly. Write one of at most {{max_words}} words in a \
             {{brand_voice}} voice.\n\
             Begin with what the thing is. Finish with size, material and price if they are known.\n\n\
             {{facts}}",
            rewording: None,
        },
    ],
};

static SUBJECT_LINES: Suite = Suite {
    name: "subject-lines",
    style: Style::Text,
    input: "campaign",
    context: &[("max_characters", "45")],
    variants: &[
        Variant { label: "includes a discount code", before: "Code SAVE10. ", after: "" },
        Variant { label: "second reminder", before: "", after: " (second reminder)" },
    ],
    cases: &[
        Case {
            name: "abandoned basket",
            input: "Basket left behind, 2 items, no discount",
            expected: "Mentions the basket, no discount, under 45 characters.",
            answer: Some("Your basket is still here"),
            wrong: "Last chance!!! 20 % off your basket today only",
            reason: "Invents a discount and a deadline",
        },
        Case {
            name: "price change",
            input: "Prices of the Team plan rise from 9 to 11 EUR on 1 March",
            expected: "Honest about the rise and the date.",
            answer: Some("Team plan: 11 EUR from 1 March"),
            wrong: "Great news about your Team plan",
            reason: "Disguises a price rise as good news",
        },
        Case {
            name: "webinar",
            input: "Webinar on measuring prompts, 12 Nov, 16:00 CET, free",
            expected: "Topic and date are there.",
            answer: Some("12 Nov: how to measure prompts"),
            wrong: "You won't believe what we do with prompts",
            reason: "Clickbait without topic or date",
        },
        Case {
            name: "security notice",
            input: "Password reset needed after third-party breach, our systems not affected",
            expected: "Clear and calm, asks for the reset.",
            answer: Some("Please reset your password"),
            wrong: "URGENT: your account was hacked",
            reason: "False: the account was not hacked",
        },
        Case {
            name: "win-back",
            input: "Customer inactive for six months, new offline mode",
            expected: "Names the new feature, no guilt.",
            answer: Some("New since your last visit: offline mode"),
            wrong: "We miss you so much :(",
            reason: "Plays on guilt and does not name the feature",
        },
        Case {
            name: "invoice",
            input: "Invoice 2026-118 for October, 240 EUR, due 30 Nov",
            expected: "Number or month, and that it is an invoice.",
            answer: Some("Invoice 2026-118 for October"),
            wrong: "Something is waiting for you",
            reason: "Hides that it is an invoice",
        },
    ],
    refinements: &[
        Refinement { note: "count characters", text: "At most {{max_characters}} characters including spaces." },
        Refinement { note: "truthful urgency", text: "No urgency and no discount that the brief does not contain." },
        Refinement { note: "name the thing", text: "The line says what the e-mail contains; no teasers." },
        Refinement {
            note: "sober security mails",
            text: "Security and billing mails are sober: no metaphors, no exclamation marks.",
        },
        Refinement { note: "no guilt", text: "Never play on guilt or fear." },
        Refinement { note: "one line only", text: "Return one line without quotation marks." },
    ],
    lineages: &[
        Lineage {
            name: "marketing/email-subject",
            title: "E-mail subject line",
            template: Some("generation/brand-copy"),
            versions: 5,
            tags: &["e-mail", "copy"],
            description: "Suggests a subject line in the campaign editor.",
            system: None,
            text: "Write one subject line for the e-mail described below.\n\
             It has at most {{max_characters}} characters and says what is inside.\n\
             Sentence case, no emoji.\n\n\
             {{campaign}}",
            rewording: None,
        },
        Lineage {
            name: "marketing/push-text",
            title: "Push notification",
            template: None,
            versions: 3,
            tags: &["mobile", "copy"],
            description: "One line on a locked screen.",
            system: None,
            text: "Write a push notification of at most {{max_characters}} characters.\n\
             Somebody will read it on a locked screen in a meeting, so be plain and discreet.\n\n\
             {{campaign}}",
            rewording: None,
        },
    ],
};
