//! Every metric: its name, its labels, and what it means. Nothing else names one.
//!
//! Those of GraphQL are named as the draft of the working group has them
//! (<https://github.com/graphql/otel-wg>, `spec/metrics.yaml`, July 2026), those of HTTP, processes and runtimes after the
//! conventions of OpenTelemetry, and those that begin with `db_` as dashboards from before this server expect them.

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A sum that only grows.
    Counter,
    /// How many there are of something at the moment: what servers tell can be added up.
    UpDownCounter,
    /// A value of the moment.
    Gauge,
    /// How values are distributed.
    Histogram,
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// The name, as OpenTelemetry has it.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// The unit, after UCUM.
    pub unit: &'static str,
    /// The labels that its values may have.
    pub labels: &'static [&'static str],
    /// What it means.
    pub meaning: &'static str,
}

impl Definition {
    /// The name, as Prometheus has it, without what histograms and counters add to it.
    #[must_use]
    pub fn family(&self) -> String {
        let mut name = self.name.replace('.', "_");
        let suffix = match self.unit {
            "s" => "_seconds",
            "By" => "_bytes",
            _ => "",
        };
        if !name.ends_with(suffix) {
            name += suffix;
        }
        match self.kind {
            Kind::Counter => name.strip_suffix("_total").map(str::to_owned).unwrap_or(name),
            Kind::UpDownCounter | Kind::Gauge | Kind::Histogram => name,
        }
    }
}

/// Labels, whose names are OpenTelemetry's; Prometheus has `_` in place of dots.
pub(in crate::telemetry) mod label {
    pub const OPERATION_TYPE: &str = "graphql.operation.type";
    pub const OPERATION_NAME: &str = "graphql.operation.name";
    pub const ERROR_TYPE: &str = "error.type";
    pub const METHOD: &str = "http.request.method";
    pub const ROUTE: &str = "http.route";
    pub const STATUS_CODE: &str = "http.response.status_code";
    pub const LOADER: &str = "graphql.dataloader.name";
    pub const SOURCE: &str = "source";
    pub const COORDINATE: &str = "graphql.field.coordinate";
    pub const OPERATION: &str = "operation";
    pub const TABLE: &str = "table";
    pub const STATUS: &str = "status";
    pub const POOL: &str = "pool";
    pub const TIER: &str = "tier";
    pub const REASON: &str = "reason";
    pub const CPU_MODE: &str = "cpu.mode";
    pub const WORKER: &str = "worker";
}

macro_rules! metrics {
    ($($meaning:literal $id:ident = $kind:ident $name:literal $unit:literal [$($label:ident),*];)*) => {
        $(
            #[doc = $meaning]
            pub const $id: Definition = Definition {
                name: $name,
                kind: Kind::$kind,
                unit: $unit,
                labels: &[$(label::$label),*],
                meaning: $meaning,
            };
        )*

        /// All of them, in the order in which they are documented.
        pub const ALL: &[Definition] = &[$($id),*];
    };
}

metrics! {
    "How long GraphQL requests take, from the parsed body to the answer. The name is one of a bounded list, else `other`; the error is the code of the first one in the answer, or `cancelled` where the client left."
    REQUEST_DURATION = Histogram "graphql.server.request.duration" "s" [OPERATION_TYPE, OPERATION_NAME, ERROR_TYPE];
    "GraphQL requests that are being executed."
    ACTIVE_REQUESTS = UpDownCounter "graphql.server.active_requests" "{request}" [OPERATION_TYPE];
    "How long it takes to check the text of a document and to parse it, of all requests."
    PARSE_DURATION = Histogram "graphql.server.request.parse.duration" "s" [ERROR_TYPE];
    "How long it takes to check a document against the limits, of all requests. What the schema says of it is checked at the beginning of the execution, and counts there."
    VALIDATE_DURATION = Histogram "graphql.server.request.validate.duration" "s" [ERROR_TYPE];
    "How long it takes to choose the operation, to check its variables, and to decide how its answer is written, of all requests. There is no other planning."
    PLAN_DURATION = Histogram "graphql.server.request.plan.duration" "s" [ERROR_TYPE];
    "How long operations are executed, of all requests."
    EXECUTE_DURATION = Histogram "graphql.server.request.execute.duration" "s" [OPERATION_TYPE, ERROR_TYPE];
    "How many errors an answer has."
    RESPONSE_ERRORS = Histogram "graphql.server.response.error_count" "{error}" [OPERATION_TYPE, OPERATION_NAME];
    "Errors in answers, by their code."
    ERRORS = Counter "evalgraph.graphql.errors" "{error}" [ERROR_TYPE];
    "How many SQL statements a request sends."
    REQUEST_STATEMENTS = Histogram "evalgraph.request.statements" "{statement}" [OPERATION_TYPE, OPERATION_NAME];
    "How long a resolver that loads waits for its answer, of sampled requests alone."
    FIELD_DURATION = Histogram "evalgraph.field.duration" "s" [COORDINATE];

    "How many keys the batches of a loader have."
    BATCH_SIZE = Histogram "evalgraph.dataloader.batch.size" "{key}" [LOADER];
    "How long the batches of a loader take, with all that they wait for."
    BATCH_DURATION = Histogram "evalgraph.dataloader.batch.duration" "s" [LOADER];
    "What loaders were asked for, by what answered: what the `request` had loaded already, the cache of the `process`, `redis`, or the `database`."
    LOADER_ANSWERS = Counter "evalgraph.dataloader.answers" "{key}" [LOADER, SOURCE];

    "How long HTTP requests take, from the head to the head of the answer. Without a status, the client left."
    HTTP_DURATION = Histogram "http.server.request.duration" "s" [METHOD, ROUTE, STATUS_CODE];
    "HTTP requests that are being worked on."
    HTTP_ACTIVE = UpDownCounter "http.server.active_requests" "{request}" [];

    "How long SQL statements take, by verb and by the first table that they name."
    QUERY_DURATION = Histogram "db_query_duration_seconds" "s" [OPERATION, TABLE];
    "SQL statements that have ended. The status is `ok` or `error`."
    QUERIES = Counter "db_query_total" "{statement}" [OPERATION, TABLE, STATUS];
    "SQL statements that took longer than `slow_statement_ms` allows."
    SLOW_STATEMENTS = Counter "evalgraph.db.slow_statements" "{statement}" [OPERATION, TABLE];
    "Connections to the database that are open."
    POOL_SIZE = UpDownCounter "db_connection_pool_size" "{connection}" [POOL];
    "Open connections beyond those that are kept in normal operation."
    POOL_OVERFLOW = UpDownCounter "db_connection_pool_overflow" "{connection}" [POOL];
    "The most connections that a pool may have."
    POOL_MAX = UpDownCounter "db_connection_pool_max" "{connection}" [POOL];
    "Connections that nobody uses."
    POOL_IDLE = UpDownCounter "db_connection_pool_idle" "{connection}" [POOL];
    "Connections that somebody uses."
    POOL_IN_USE = UpDownCounter "db_connection_pool_in_use" "{connection}" [POOL];
    "How many wait for a connection."
    POOL_WAITERS = UpDownCounter "db_connection_pool_waiters" "{request}" [POOL];
    "How long those who got a connection waited for it."
    POOL_WAIT = Histogram "db_connection_pool_wait_seconds" "s" [POOL];
    "Those who waited for a connection in vain."
    POOL_TIMEOUTS = Counter "db_connection_pool_timeouts" "{request}" [POOL];
    "Connections that were made."
    POOL_MADE = Counter "db_connection_pool_connections" "{connection}" [POOL];

    "Questions that a tier of the cache answered."
    CACHE_HITS = Counter "evalgraph.cache.hits" "{entry}" [TIER];
    "Questions that a tier of the cache was asked and could not answer; of the process, those that no tier answered."
    CACHE_MISSES = Counter "evalgraph.cache.misses" "{entry}" [TIER];
    "Questions that were answered by what another request was loading."
    CACHE_JOINED = Counter "evalgraph.cache.joined" "{entry}" [];
    "Questions that were asked while nothing in the cache could be believed."
    CACHE_UNBELIEVED = Counter "evalgraph.cache.unbelieved" "{entry}" [];
    "Entries that were stored in Redis."
    CACHE_FILLS = Counter "evalgraph.cache.fills" "{entry}" [TIER];
    "Entries that were not stored in Redis: there was too much to do (`busy`), or they were too large (`large`)."
    CACHE_FILLS_DROPPED = Counter "evalgraph.cache.fills.dropped" "{entry}" [TIER, REASON];
    "Tags that were invalidated."
    CACHE_INVALIDATIONS = Counter "evalgraph.cache.invalidations" "{tag}" [TIER];
    "Entries that had to make room for others."
    CACHE_EVICTIONS = Counter "evalgraph.cache.evictions" "{entry}" [TIER];
    "Answers of Redis that did not come in time (`timeout`), and connections that were given up (`failure`)."
    CACHE_ERRORS = Counter "evalgraph.cache.errors" "{error}" [TIER, REASON];
    "How much memory a tier of the cache takes."
    CACHE_SIZE = Gauge "evalgraph.cache.size" "By" [TIER];
    "How many entries a tier of the cache has."
    CACHE_ENTRIES = Gauge "evalgraph.cache.entries" "{entry}" [TIER];
    "Whether a tier is asked (1), or is left alone because it cannot be believed or does not answer (0)."
    CACHE_AVAILABLE = Gauge "evalgraph.cache.available" "1" [TIER];

    "GraphQL requests that have a place among those that are worked on at a time."
    ADMITTED = UpDownCounter "evalgraph.admission.in_flight" "{request}" [];
    "GraphQL requests that wait for such a place."
    ADMISSION_WAITERS = UpDownCounter "evalgraph.admission.waiting" "{request}" [];
    "Requests that were not let in: the `server` was full, the `principal` had as many in flight as one may have, the rate of the principal (`principal_rate`) or of the address (`address_rate`) was used up, or too many wrong `credentials` had come from the address."
    ADMISSION_REFUSED = Counter "evalgraph.admission.refused" "{request}" [REASON];

    "What became of the spans of recorded requests: `sent`, `dropped` because too many were waiting, or `failed` because the receiver was away, did not answer or refused them."
    SPANS = Counter "evalgraph.tracing.spans" "{span}" [STATUS];

    "Processor time that the process has used."
    CPU_TIME = Counter "process.cpu.time" "s" [CPU_MODE];
    "Memory of the process that is not swapped out."
    MEMORY = Gauge "process.memory.usage" "By" [];
    "Files, sockets among them, that the process has open."
    OPEN_FILES = Gauge "process.open_fds" "{file_descriptor}" [];
    "How many files the process may have open."
    OPEN_FILES_LIMIT = Gauge "process.max_fds" "{file_descriptor}" [];
    "How long the process has been running."
    UPTIME = Gauge "process.uptime" "s" [];
    "Threads of the runtime that run tasks."
    WORKERS = Gauge "tokio.runtime.workers" "{thread}" [];
    "Tasks that have not ended."
    TASKS = Gauge "tokio.runtime.tasks" "{task}" [];
    "Tasks that wait for a thread to run on."
    QUEUE_DEPTH = Gauge "tokio.runtime.queue.depth" "{task}" [];
    "How long the threads of the runtime have been at work."
    BUSY_TIME = Counter "tokio.runtime.busy.duration" "s" [WORKER];
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_those_of_both_worlds() {
        let cases = [
            (REQUEST_DURATION, "graphql_server_request_duration_seconds"),
            (QUERY_DURATION, "db_query_duration_seconds"),
            (QUERIES, "db_query"),
            (POOL_SIZE, "db_connection_pool_size"),
            (CACHE_SIZE, "evalgraph_cache_size_bytes"),
            (CPU_TIME, "process_cpu_time_seconds"),
        ];
        for (definition, family) in cases {
            assert_eq!(definition.family(), family);
        }
        let families: HashSet<String> = ALL.iter().map(Definition::family).collect();
        assert_eq!(families.len(), ALL.len());
    }
}
