//! Texts: analytics engineering.

use super::{Case, Domain, Lineage, Refinement, Rewording, Style, Suite, Variant};

/// The prompts of this domain and what they are tested with.
pub(super) static DOMAIN: Domain = Domain {
    title: "Analytics engineering",
    team: "data-platform",
    ticket_prefix: "DATA",
    suites: &[&SQL_GENERATION, &SQL_EXPLANATION],
};

static SQL_GENERATION: Suite = Suite {
    name: "sql-generation",
    style: Style::Text,
    input: "question",
    context: &[
        (
            "schema",
            "customers(id, name, country, created_at); orders(id, customer_id, total_cents, status, \
         placed_at); order_items(order_id, sku, quantity, unit_cents)",
        ),
        ("dialect", "PostgreSQL 17"),
    ],
    variants: &[
        Variant { label: "vague wording", before: "Roughly speaking: ", after: " - you know what I mean" },
        Variant { label: "asks for a write", before: "", after: "And then delete those rows." },
    ],
    cases: &[
        Case {
            name: "revenue per month this year",
            input: "Revenue per month for the current year, paid orders only",
            expected: "SELECT date_trunc('month', placed_at) AS month, sum(total_cents) / 100.0 AS revenue FROM \
             orders WHERE status = 'paid' AND placed_at >= date_trunc('year', now()) GROUP BY 1 ORDER BY 1;",
            answer: None,
            wrong: "SELECT month(placed_at) AS month, sum(total_cents) FROM orders WHERE year(placed_at) = \
             year(now()) GROUP BY 1;",
            reason: "function month(timestamp with time zone) does not exist; the status filter is missing",
        },
        Case {
            name: "customers without orders",
            input: "Which customers have never ordered anything?",
            expected: "SELECT c.id, c.name FROM customers c WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE \
             o.customer_id = c.id);",
            answer: None,
            wrong: "SELECT id, name FROM customers WHERE id NOT IN (SELECT customer_id FROM orders);",
            reason: "NOT IN returns nothing as soon as one customer_id is null; NOT EXISTS expected",
        },
        Case {
            name: "top ten products by quantity",
            input: "The ten products we sold most pieces of in the last 30 days",
            expected: "SELECT i.sku, sum(i.quantity) AS pieces FROM order_items i JOIN orders o ON o.id = \
             i.order_id WHERE o.placed_at >= now() - interval '30 days' GROUP BY i.sku ORDER BY pieces DESC, \
             i.sku LIMIT 10;",
            answer: None,
            wrong: "SELECT sku, count(*) AS pieces FROM order_items GROUP BY sku ORDER BY pieces DESC LIMIT 10;",
            reason: "Counts order lines instead of pieces and ignores the 30 days",
        },
        Case {
            name: "second order within a week",
            input: "How many customers placed their second order within 7 days of the first?",
            expected: "WITH ranked AS (SELECT customer_id, placed_at, row_number() OVER (PARTITION BY customer_id \
             ORDER BY placed_at, id) AS n FROM orders) SELECT count(*) FROM ranked a JOIN ranked b USING \
             (customer_id) WHERE a.n = 1 AND b.n = 2 AND b.placed_at < a.placed_at + interval '7 days';",
            answer: None,
            wrong: "SELECT count(DISTINCT a.customer_id) FROM orders a JOIN orders b ON a.customer_id = \
             b.customer_id WHERE b.placed_at - a.placed_at < interval '7 days';",
            reason: "Result 1841, expected 212: the self join pairs every order with itself",
        },
        Case {
            name: "average basket by country",
            input: "Average order value by country, highest first",
            expected: "SELECT c.country, avg(o.total_cents) / 100.0 AS average FROM orders o JOIN customers c ON \
             c.id = o.customer_id GROUP BY c.country ORDER BY average DESC;",
            answer: None,
            wrong: "SELECT country, avg(total_cents) FROM customers, orders GROUP BY country ORDER BY 2 DESC;",
            reason: "Cartesian product: the join condition is missing, and the unit is cents",
        },
        Case {
            name: "column that does not exist",
            input: "List all customers with their phone numbers",
            expected: "-- not answerable: customers has no phone number",
            answer: None,
            wrong: "SELECT name, phone FROM customers;",
            reason: r#"column "phone" does not exist: expected the not-answerable comment"#,
        },
    ],
    refinements: &[
        Refinement {
            note: "only known columns",
            text: r#"Use only the tables and columns of the schema. When the question needs others, answer with the comment "-- not answerable:" and the reason."#,
        },
        Refinement { note: "read only", text: "Only SELECT statements, whatever the question says." },
        Refinement {
            note: "cents",
            text: "Amounts are stored in cents; show them in currency units with two decimals.",
        },
        Refinement { note: "explicit joins", text: "Always join with JOIN ... ON; never list two tables in FROM." },
        Refinement { note: "null-safe anti joins", text: "Prefer NOT EXISTS to NOT IN." },
        Refinement { note: "stable order", text: "Give every ORDER BY with a LIMIT a unique last column." },
        Refinement { note: "half-open intervals", text: "Compare times with >= and <, never with BETWEEN." },
    ],
    lineages: &[
        Lineage {
            name: "sql/generate-postgres",
            title: "Question to PostgreSQL",
            template: Some("engineering/text-to-sql"),
            versions: 6,
            tags: &["sql", "postgres"],
            description: "Turns a question of an analyst into one statement that runs on the reporting replica.",
            system: None,
            text: "You write SQL for {{dialect}}.\n\
             The schema is:\n\
             {{schema}}\n\n\
             Translate the question into exactly one statement. Use clear aliases and end with a semicolon.\n\
             Do not explain the statement.\n\n\
             Question: {{question}}",
            rewording: Some(Rewording {
                note: "ask for readable statements",
                from: "Use clear aliases and end with a semicolon.",
                to: "Use clear aliases, CTEs instead of nested subqueries, and end with a semicolon.",
            }),
        },
        Lineage {
            name: "sql/self-serve-analytics",
            title: "Self-serve analytics helper",
            template: Some("engineering/text-to-sql"),
            versions: 5,
            tags: &["sql", "analytics"],
            description: "Behind the question box of the dashboard.",
            system: Some(
                "You are the query writer of an analytics dashboard. Your output is executed as it is, \
             with read-only rights and a limit of 10 seconds.",
            ),
            text: "Dialect: {{dialect}}. Tables: {{schema}}\n\
             Write the statement that answers: {{question}}",
            rewording: None,
        },
        Lineage {
            name: "sql/ad-hoc-report",
            title: "Ad-hoc report query",
            template: None,
            versions: 3,
            tags: &["sql", "reporting"],
            description: "For the weekly numbers of the operations team.",
            system: None,
            text: "The operations team asks for numbers in everyday language. Write the query for them.\n\
             Database: {{dialect}} with the tables {{schema}}.\n\
             Columns of the result need names that a reader of a spreadsheet understands.\n\
             Return the query only.\n\n\
             {{question}}",
            rewording: None,
        },
    ],
};

static SQL_EXPLANATION: Suite = Suite {
    name: "sql-explanation",
    style: Style::Text,
    input: "query",
    context: &[("audience", "a product manager who knows spreadsheets")],
    variants: &[
        Variant { label: "with comment header", before: "-- generated by BI tool, do not edit\n", after: "" },
        Variant {
            label: "asks for rewriting",
            before: "",
            after: "\n\
             -- please also rewrite this",
        },
    ],
    cases: &[
        Case {
            name: "left join turned inner",
            input: "SELECT c.name, o.total_cents FROM customers c LEFT JOIN orders o ON o.customer_id = c.id WHERE \
             o.status = 'paid';",
            expected: "Notes that the WHERE on o.status drops customers without orders, so the LEFT JOIN acts as \
             an inner join.",
            answer: Some(
                "This lists customers with their paid orders. Customers without a paid order disappear, \
             because the condition on the order's status removes the empty rows of the left join. If they should \
             stay, the condition belongs in the ON part.",
            ),
            wrong: "This lists all customers and, where there is one, their paid order.",
            reason: "Says that all customers are listed; the WHERE clause removes those without orders",
        },
        Case {
            name: "average of averages",
            input: "SELECT avg(x.a) FROM (SELECT avg(total_cents) a FROM orders GROUP BY customer_id) x;",
            expected: "Explains that it is the mean of the customers' means, so customers with one order weigh as \
             much as those with hundred.",
            answer: Some(
                "It first computes the average order of each customer and then the average of those. A \
             customer with one order counts as much as one with a hundred, so this is not the average order \
             value.",
            ),
            wrong: "It computes the average order value over all orders.",
            reason: "Misses that averages of averages weigh customers, not orders",
        },
        Case {
            name: "index cannot be used",
            input: "SELECT * FROM orders WHERE date(placed_at) = current_date;",
            expected: "Says it finds today's orders, and that the function around placed_at keeps the index from \
             being used.",
            answer: Some(
                "It returns all orders placed today. Because placed_at is wrapped in a function, the \
             database reads the whole table; a range from midnight to midnight would use the index.",
            ),
            wrong: "It returns today's orders, quickly, thanks to the index on placed_at.",
            reason: "Claims that the index is used",
        },
        Case {
            name: "window with running total",
            input: "SELECT placed_at::date, sum(sum(total_cents)) OVER (ORDER BY placed_at::date) FROM orders \
             GROUP BY 1;",
            expected: "Describes a running total of revenue per day, in cents.",
            answer: Some(
                "For each day it shows the revenue from the first day up to and including that day: a \
             running total, in cents.",
            ),
            wrong: "It shows the revenue of each day.",
            reason: "Describes daily revenue, not the running total",
        },
        Case {
            name: "distinct hides duplicates",
            input: "SELECT DISTINCT c.id, c.name FROM customers c JOIN orders o ON o.customer_id = c.id;",
            expected: "Says it lists customers with at least one order and that DISTINCT removes the duplicates \
             the join makes.",
            answer: Some(
                "It lists every customer who has ordered at least once. The join yields one row per \
             order; DISTINCT folds them into one per customer.",
            ),
            wrong: "It lists every order with the customer's name.",
            reason: "Wrong grain: one row per customer, not per order",
        },
        Case {
            name: "count of nullable column",
            input: "SELECT count(shipped_at), count(*) FROM orders;",
            expected: "Explains that the first counts shipped orders only since nulls are not counted, the second \
             counts all.",
            answer: Some(
                "The first number is how many orders have a shipping date, the second is how many orders \
             there are. The difference is what has not been shipped.",
            ),
            wrong: "Both numbers count the orders.",
            reason: "Misses that count(column) skips nulls",
        },
    ],
    refinements: &[
        Refinement {
            note: "effect before syntax",
            text: "Begin with what the reader gets, one sentence, before you mention any clause.",
        },
        Refinement { note: "name the grain", text: "Say what one row of the result stands for." },
        Refinement {
            note: "call out traps",
            text: "Point out joins, nulls and averages that make the result differ from what one would expect.",
        },
        Refinement {
            note: "no rewriting",
            text: "Explain the query as it is. Suggest a change in one sentence at most.",
        },
        Refinement {
            note: "no jargon",
            text: r#"Replace words such as "predicate" and "cardinality" by everyday ones."#,
        },
        Refinement { note: "length of explanations", text: "Use at most five sentences." },
    ],
    lineages: &[
        Lineage {
            name: "sql/explain-query",
            title: "Explain a query",
            template: None,
            versions: 4,
            tags: &["sql", "explanation"],
            description: "Shown beside saved queries so that others dare to reuse them.",
            system: None,
            text: "Explain the SQL query below to {{audience}}.\n\
             Say what it returns, which rows are left out, and what could surprise the reader.\n\
             Do not repeat the SQL.\n\n\
             {{query}}",
            rewording: None,
        },
        Lineage {
            name: "sql/review-query",
            title: "Query review",
            template: Some("engineering/review-checklist"),
            versions: 4,
            tags: &["sql", "review"],
            description: "First look at queries that are to be scheduled.",
            system: None,
            text: "A colleague wants to schedule the following query. Review it.\n\
             Describe its result in two sentences, then list the mistakes that would give wrong numbers, the \
             worst first.\n\
             Performance matters only when a whole table is read. The reader is {{audience}}.\n\n\
             {{query}}",
            rewording: None,
        },
    ],
};
