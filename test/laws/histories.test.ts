/**
 * Histories fit every target, and a conversation that only grows is sent as an extension of what was sent before.
 * `npm run histories` is the long version.
 */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { LlmRequest, Message } from "../../src/index.ts"
import { jsonText } from "../../src/json/text.ts"
import * as Conversation from "../../src/protocol/Conversation.ts"
import { Random } from "../fuzz/random.ts"
import type { Body, Json } from "./histories-grammar.ts"
import { encoded, judged } from "./histories-judge.ts"
import { Marks, names, randomList, requestOf, saneList, type Target, targets } from "./histories-lists.ts"

const seeds = fc.nat(2 ** 31)

const problems = (target: Target, list: typeof randomList, seed: number): ReadonlyArray<string> => {
  const random = new Random(seed)
  const verdict = judged(target, requestOf(random, list(random, new Marks())))
  return "problems" in verdict ? verdict.problems : []
}

describe("any list of messages", () => {
  for (const target of targets) {
    it(`is accepted or refused here: ${target.name}`, () => {
      fc.assert(fc.property(seeds, (seed) => assert.deepStrictEqual(problems(target, randomList, seed), [])), {
        numRuns: 40
      })
      fc.assert(fc.property(seeds, (seed) => assert.deepStrictEqual(problems(target, saneList, seed), [])), {
        numRuns: 25
      })
    })
  }
})

// ---------------------------------------------------------------------------
// Twice is once
// ---------------------------------------------------------------------------

const rules: Conversation.Rules = {
  wire: "openai-chat",
  keepReasoning: (part) => part.text !== "",
  resultErrors: "words",
  resultMedia: () => "after",
  assistantMedia: false,
  nothing: "blank",
  leadingSystem: true,
  alternating: true,
  userFirst: true,
  userLast: true,
  assistantAfterTool: true,
  reasoningNeeds: "something-beside"
}

describe("preparing", () => {
  it("a prepared history changes nothing and has nothing to say", () => {
    fc.assert(
      fc.property(seeds, fc.boolean(), (seed, toolTurns) => {
        const random = new Random(seed)
        const messages = randomList(random, new Marks())
        if (LlmRequest.validate({ messages }) !== undefined) return
        const given = { ...rules, toolTurns }
        const once = Conversation.prepare({ messages }, given)
        if (once.refused !== undefined) return
        const again = Conversation.prepare(
          { messages: once.turns.map(({ parts, role }) => ({ role, content: parts })) },
          given
        )
        assert.deepStrictEqual(again.turns, once.turns)
        assert.deepStrictEqual(again.warnings, [])
      }),
      { numRuns: 200 }
    )
  })

  it("does the steps that a target needs, in one order", () => {
    const few = Conversation.stepsFor({ wire: "x", keepReasoning: () => true }).map(({ name }) => name)
    const all = Conversation.stepsFor({ ...rules, toolTurns: false, serverToolResult: "id" }).map(({ name }) => name)
    assert.deepStrictEqual(few, ["media forms", "origins", "pairs", "empties", "empties"])
    assert.deepStrictEqual(all.filter((name) => few.includes(name)), few)
    assert.isAbove(all.length, 14)
  })
})

// ---------------------------------------------------------------------------
// The prefix law
// ---------------------------------------------------------------------------

const markKeys = new Set(["cache_control", "prompt_cache_breakpoint", "prefix"])

/** A body's part of the prompt without marks: of the cache, and that a last turn is to be gone on from. */
const unmarked = (value: Json | undefined): Json | undefined => {
  if (Array.isArray(value)) {
    return value.filter((one) => typeof one !== "object" || one === null || !("cachePoint" in one)).map((one) =>
      unmarked(one)!
    )
  }
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).filter(([key]) => !markKeys.has(key)).map(([key, one]) => [key, unmarked(one)])
  )
}

const list = (value: Json | undefined): ReadonlyArray<Json> => Array.isArray(value) ? value : []

/** What comes before the messages, and the messages. */
const promptOf = (body: Body) => ({
  head: JSON.stringify([
    body["tools"],
    (body["toolConfig"] as Body | undefined)?.["tools"],
    body["system"],
    body["systemInstruction"],
    body["instructions"]
  ].map(unmarked)),
  turns: list(unmarked(body["messages"] ?? body["contents"] ?? body["input"]))
})

/** Whether one turn is another, or its beginning: more was joined to it. */
const extended = (before: Json | undefined, after: Json | undefined): boolean => {
  if (typeof before === "string" && typeof after === "string") return after.startsWith(before)
  if (Array.isArray(before) && Array.isArray(after)) {
    return before.length <= after.length && before.every((one, at) => extended(one, after[at]))
  }
  // A text alone is a string, and a list with what was joined to it.
  if (typeof before === "string" && Array.isArray(after)) {
    return JSON.stringify(after[0]).includes(JSON.stringify(before).slice(1, -1))
  }
  if (typeof before !== "object" || before === null || typeof after !== "object" || after === null) {
    return before === after
  }
  return Object.keys(before).every((key) =>
    extended((before as { [key: string]: Json })[key], (after as { [key: string]: Json })[key])
  )
}

const differs = (before: Body, after: Body): string | undefined => {
  const [old, grown] = [promptOf(before), promptOf(after)]
  if (old.head !== grown.head) return "head"
  const same = old.turns.slice(0, -1).findIndex((turn, at) => JSON.stringify(turn) !== JSON.stringify(grown.turns[at]))
  if (same !== -1) return `turn ${same}`
  return extended(old.turns.at(-1), grown.turns[old.turns.length - 1]) ? undefined : `last turn ${old.turns.length - 1}`
}

const sent = (target: Target, request: LlmRequest.LlmRequest) => {
  const made = encoded(target, request)
  return "field" in made
    ? undefined
    : { body: JSON.parse(jsonText(made.body)) as Body, warnings: made.warnings.map(({ message }) => message) }
}

/** Where a request is made: after the user or when all calls have results. */
const ends = (messages: ReadonlyArray<Message.Message>): ReadonlyArray<number> =>
  messages.flatMap((message, at) =>
    (message.role === "user" && messages[at + 1]?.role === "assistant") ||
      (message.role === "tool" && messages[at + 1]?.role !== "tool")
      ? [at + 1]
      : []
  )

describe("a conversation that only grows", () => {
  for (const target of targets) {
    it(`is sent as an extension, or a warning says from where on not: ${target.name}`, () => {
      fc.assert(
        fc.property(seeds, (seed) => {
          const random = new Random(seed)
          const messages = saneList(random, new Marks())
          const cached = random.chance(0.5)
          let before: Body | undefined
          for (const end of ends(messages)) {
            const { thinking } = requestOf(random, [])
            const request = {
              ...(thinking === undefined ? {} : { thinking }),
              messages: messages.slice(0, end),
              system: "Be brief.",
              tools: names.map((name) => ({ type: "function" as const, name, parameters: { type: "object" } }))
                .toSorted(() => random.next() - 0.5),
              ...(cached ? { cache: { recentTurns: 2, systemPrompt: true, tools: true } } : {})
            }
            const now = sent(target, request)
            if (now === undefined) return
            const at = before === undefined ? undefined : differs(before, now.body)
            if (at !== undefined && !now.warnings.some((message) => message.includes("prompt cache"))) {
              assert.fail(`${at}\n${JSON.stringify(before)}\n${JSON.stringify(now.body)}`)
            }
            before = now.body
          }
        }),
        { numRuns: 20 }
      )
    })

    it(`says where it was cut in a way that cannot be extended: ${target.name}`, () => {
      fc.assert(
        fc.property(seeds, (seed) => {
          const random = new Random(seed)
          const messages = randomList(random, new Marks())
          if (LlmRequest.validate({ messages }) !== undefined) return
          let before: { readonly body: Body; readonly warnings: ReadonlyArray<string> } | undefined
          for (let end = 1; end <= messages.length; end++) {
            const now = LlmRequest.validate({ messages: messages.slice(0, end) }) === undefined
              ? sent(target, { messages: messages.slice(0, end) })
              : undefined
            const at = before === undefined || now === undefined ? undefined : differs(before.body, now.body)
            const told = [...before?.warnings ?? [], ...now?.warnings ?? []].some((message) =>
              message.includes("prompt cache")
            )
            if (at !== undefined && !told) {
              assert.fail(`${at}\n${JSON.stringify(before?.body)}\n${JSON.stringify(now?.body)}`)
            }
            before = now
          }
        }),
        { numRuns: 20 }
      )
    })
  }
})

// ---------------------------------------------------------------------------
// Size
// ---------------------------------------------------------------------------

describe("ids of calls", () => {
  it("are told apart, however often one comes again", () => {
    const call = { type: "tool-call", id: "call", name: "look_up", arguments: {} } as const
    const messages = [
      Message.user("Begin"),
      ...Array.from({ length: 3000 }, () => [Message.assistant([call]), Message.toolResult(call, "done")]).flat()
    ]
    const made = Conversation.prepare({ messages }, rules).turns.flatMap(({ parts }) => parts)
    assert.strictEqual(new Set(made.flatMap((part) => part.type === "tool-call" ? [part.id] : [])).size, 3000)
  })
})
