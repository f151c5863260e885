/**
 * Invoices out of texts, as an assistant writes it that has read `llms.txt` and the skill, and nothing else: twenty documents, some at a time, a
 * budget per tenant, a cache, and an outcome for each document that says what to do about it.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Schema } from "effect"
import { Anthropic, Budget, Cache, Cost, LlmService, Retry, Timeout } from "../../src/index.ts"
import { layerHttpClient } from "../../src/node.ts"

const Invoice = Schema.Struct({
  number: Schema.String,
  total: Schema.Finite,
  currency: Schema.Literals(["EUR", "USD"])
})

export interface Document {
  readonly id: string
  readonly tenant: string
  readonly text: string
}

type Outcome =
  | { readonly status: "done"; readonly invoice: typeof Invoice.Type; readonly cached: boolean; readonly cost: number }
  /** The tenant has spent its budget of today. */
  | { readonly status: "tomorrow"; readonly spent: number; readonly limit: number }
  /** Too long for the model. */
  | { readonly status: "split" }
  /** A person has to look at it. */
  | { readonly status: "review"; readonly why: string }
  /** The provider has trouble; worth another try, perhaps at a time it names. */
  | { readonly status: "later"; readonly why: string }

const outcome = (outcome: Outcome) => Effect.succeed(outcome)

const extract = Effect.fn("extract")(function*({ tenant, text }: Document) {
  return yield* LlmService.generateObject(Invoice, {
    system: "Read the invoice.",
    prompt: text,
    temperature: 0,
    maxTokens: 500,
    label: "extract-invoice",
    scope: { userId: tenant }
  }, { retries: 1 }).pipe(
    Effect.map(({ response, value }): Outcome => ({
      status: "done",
      invoice: value,
      cached: Cache.isHit(response),
      cost: response.cost ?? 0
    })),
    Effect.catchReasons("LlmError", {
      BudgetExceeded: ({ limit, spent }) => outcome({ status: "tomorrow", spent, limit }),
      ContextLength: () => outcome({ status: "split" }),
      ContentPolicy: ({ message }) => outcome({ status: "review", why: message }),
      StructuredOutput: ({ message }) => outcome({ status: "review", why: message })
    }),
    // What helps nobody to go on, such as a wrong key, ends the batch.
    Effect.catchIf(({ isRetryable }) => isRetryable, ({ message }) => outcome({ status: "later", why: message }))
  )
})

export const extractAll = (documents: ReadonlyArray<Document>) =>
  Effect.forEach(
    documents,
    (document) => Effect.map(extract(document), (outcome) => ({ id: document.id, ...outcome })),
    {
      concurrency: 4
    }
  )

/** Limits and retries next to the provider, the budget around them, the cache outermost: what it answers costs nothing. */
export const policies = <E, R>(provider: Layer.Layer<LlmService.LlmService, E, R>) =>
  // #region policies
  provider.pipe(
    Timeout.policy({ total: "1 minute" }),
    Retry.policy({ retries: 3 }),
    Budget.policy({ limit: 1, scope: "user", window: "1 day" }),
    Cost.policy(),
    Cache.policy({ partition: (request) => request.scope?.userId, ttl: "1 hour" })
  )
// #endregion

export const documents: ReadonlyArray<Document> = Array.from({ length: 20 }, (_, index) => ({
  id: `document-${index}`,
  tenant: index % 2 === 0 ? "acme" : "initech",
  text: `Invoice no. ${index}: total ${index * 10} EUR`
}))

if (import.meta.main) {
  const program = Effect.flatMap(
    extractAll(documents),
    (outcomes) => Effect.forEach(outcomes, (one) => Console.log(one))
  )
  const llm = policies(Anthropic.layerEnv).pipe(Layer.provide(layerHttpClient))
  NodeRuntime.runMain(program.pipe(Effect.provide(llm)))
}
