//! The models that the prompts are evaluated with.

/// A model as one provider offers it.
#[derive(Debug)]
pub(in crate::demo) struct Model {
    /// Who runs it.
    pub provider: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// Its id in a tool's configuration.
    pub provider_id: &'static str,
    /// What people call it.
    pub label: &'static str,
    /// US dollars per million tokens of prompts.
    pub input_price: f64,
    /// US dollars per million tokens of answers.
    pub output_price: f64,
    /// The median of its latency for a short answer.
    pub median_ms: f64,
    /// How widely its latency varies: the deviation of its logarithm.
    pub spread: f64,
    /// How many tokens it takes per token of the visible answer.
    pub verbosity: f64,
    /// What it adds to the chance that a case passes.
    pub quality: f64,
    /// What it says when it gives no answer.
    pub errors: &'static [&'static str],
}

const OPENAI_ERRORS: &[&str] = &[
    "429 Rate limit reached on tokens per min (TPM): Limit 200000, Used 198412, Requested 2671. Please try again in \
     324ms.",
    "Request timed out after 60000 ms",
    "500 The server had an error while processing your request. Sorry about that!",
    "400 content_filter: The response was filtered because the prompt triggered the content management policy.",
];
const ANTHROPIC_ERRORS: &[&str] = &[
    "529 overloaded_error: Overloaded",
    "429 rate_limit_error: This request would exceed the rate limit of 80,000 input tokens per minute.",
    "Request timed out after 60000 ms",
];
const GOOGLE_ERRORS: &[&str] = &[
    "503 UNAVAILABLE: The model is overloaded. Please try again later.",
    "No candidates returned (finishReason: SAFETY, category: HARM_CATEGORY_DANGEROUS_CONTENT)",
    "429 RESOURCE_EXHAUSTED: Quota exceeded for quota metric 'Generate Content API requests per minute'.",
];
const MISTRAL_ERRORS: &[&str] =
    &["429 Service tier capacity exceeded for this model.", "Request timed out after 60000 ms"];
const BEDROCK_ERRORS: &[&str] = &[
    "ThrottlingException: Too many requests, please wait before trying again.",
    "ModelTimeoutException: Model processing exceeded the time limit.",
];
const TOGETHER_ERRORS: &[&str] =
    &["504 Gateway Timeout", "429 You have reached the rate limit of 60 queries per minute."];

/// All models.
pub(in crate::demo) static MODELS: [Model; 12] = [
    Model {
        provider: "openai",
        name: "gpt-5",
        provider_id: "openai:chat:gpt-5",
        label: "GPT-5",
        input_price: 1.25,
        output_price: 10.0,
        median_ms: 3_900.0,
        spread: 0.42,
        verbosity: 4.5,
        quality: 0.065,
        errors: OPENAI_ERRORS,
    },
    Model {
        provider: "openai",
        name: "gpt-5-mini",
        provider_id: "openai:chat:gpt-5-mini",
        label: "GPT-5 mini",
        input_price: 0.25,
        output_price: 2.0,
        median_ms: 1_900.0,
        spread: 0.38,
        verbosity: 3.0,
        quality: 0.02,
        errors: OPENAI_ERRORS,
    },
    Model {
        provider: "openai",
        name: "gpt-4.1",
        provider_id: "openai:chat:gpt-4.1",
        label: "GPT-4.1",
        input_price: 2.0,
        output_price: 8.0,
        median_ms: 1_250.0,
        spread: 0.33,
        verbosity: 1.0,
        quality: 0.02,
        errors: OPENAI_ERRORS,
    },
    Model {
        provider: "openai",
        name: "gpt-4.1-mini",
        provider_id: "openai:chat:gpt-4.1-mini",
        label: "GPT-4.1 mini",
        input_price: 0.4,
        output_price: 1.6,
        median_ms: 780.0,
        spread: 0.3,
        verbosity: 1.0,
        quality: -0.035,
        errors: OPENAI_ERRORS,
    },
    Model {
        provider: "anthropic",
        name: "claude-sonnet-4-5",
        provider_id: "anthropic:messages:claude-sonnet-4-5",
        label: "Claude Sonnet 4.5",
        input_price: 3.0,
        output_price: 15.0,
        median_ms: 1_850.0,
        spread: 0.3,
        verbosity: 1.15,
        quality: 0.06,
        errors: ANTHROPIC_ERRORS,
    },
    Model {
        provider: "anthropic",
        name: "claude-haiku-4-5",
        provider_id: "anthropic:messages:claude-haiku-4-5",
        label: "Claude Haiku 4.5",
        input_price: 1.0,
        output_price: 5.0,
        median_ms: 820.0,
        spread: 0.28,
        verbosity: 1.1,
        quality: 0.01,
        errors: ANTHROPIC_ERRORS,
    },
    Model {
        provider: "google",
        name: "gemini-2.5-pro",
        provider_id: "google:gemini-2.5-pro",
        label: "Gemini 2.5 Pro",
        input_price: 1.25,
        output_price: 10.0,
        median_ms: 3_400.0,
        spread: 0.4,
        verbosity: 3.8,
        quality: 0.045,
        errors: GOOGLE_ERRORS,
    },
    Model {
        provider: "google",
        name: "gemini-2.5-flash",
        provider_id: "google:gemini-2.5-flash",
        label: "Gemini 2.5 Flash",
        input_price: 0.3,
        output_price: 2.5,
        median_ms: 690.0,
        spread: 0.35,
        verbosity: 1.2,
        quality: -0.015,
        errors: GOOGLE_ERRORS,
    },
    Model {
        provider: "mistral",
        name: "mistral-large-2411",
        provider_id: "mistral:mistral-large-2411",
        label: "Mistral Large",
        input_price: 2.0,
        output_price: 6.0,
        median_ms: 1_500.0,
        spread: 0.36,
        verbosity: 1.05,
        quality: -0.02,
        errors: MISTRAL_ERRORS,
    },
    Model {
        provider: "mistral",
        name: "mistral-small-2506",
        provider_id: "mistral:mistral-small-2506",
        label: "Mistral Small",
        input_price: 0.1,
        output_price: 0.3,
        median_ms: 640.0,
        spread: 0.34,
        verbosity: 1.0,
        quality: -0.075,
        errors: MISTRAL_ERRORS,
    },
    Model {
        provider: "bedrock",
        name: "meta.llama3-3-70b-instruct-v1:0",
        provider_id: "bedrock:us.meta.llama3-3-70b-instruct-v1:0",
        label: "Llama 3.3 70B (Bedrock)",
        input_price: 0.72,
        output_price: 0.72,
        median_ms: 1_350.0,
        spread: 0.45,
        verbosity: 1.1,
        quality: -0.06,
        errors: BEDROCK_ERRORS,
    },
    Model {
        provider: "together",
        name: "meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8",
        provider_id: "togetherai:meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8",
        label: "Llama 4 Maverick (Together)",
        input_price: 0.27,
        output_price: 0.85,
        median_ms: 930.0,
        spread: 0.5,
        verbosity: 1.1,
        quality: -0.03,
        errors: TOGETHER_ERRORS,
    },
];
