// Texts from a server that are read for secrets: what looks like the beginning of one, or of an escape, over and over.
import { maskShapes } from "../../src/transport/secrets/keyShapes.ts"
import { makeScrubber } from "../../src/transport/secrets/Redaction.ts"
import { type Case } from "./Case.ts"

const key = `sk-ant-api03-${"aB3x".repeat(20)}`

const pieces: { readonly [name: string]: string } = {
  letters: "a",
  "JWT heads": "eyJ-",
  "JWT parts": "eyJaaaaaaaa.",
  "JWT pairs": "eyJaaaaaaaa.eyJaaaaaaaa ",
  "OpenAI heads": "sk-",
  "Anthropic heads": "sk-ant-",
  "starred keys": "sk-***",
  "Google heads": "AIza-",
  "OAuth heads": "ya29.",
  "Groq heads": "gsk_",
  "mixed heads": "hf_-xai--r8_",
  "GitHub heads": "ghp_",
  "AWS heads": "AKIA1",
  "Bedrock heads": "ABSK/",
  schemes: "bearer ",
  "schemes and words": `bearer ${"a".repeat(50)} `,
  queries: "?key=",
  urls: "://a:",
  "url heads": "://",
  "long users": "://aaaaaaaaaaaaaaaa",
  headers: "authorization: ",
  cookies: "cookie:",
  percents: "%",
  "nested percents": "%25",
  "encoded letters": "%2541",
  backslashes: "\\",
  "broken units": "\\u",
  units: "\\ud83d",
  ampersands: "&",
  "nested entities": "&amp;",
  "broken entities": "&#x0",
  "the key": key,
  "almost the key": key.slice(0, -1),
  space: " \n",
  dump: "0x73 ",
  characters: "ü€😀",
  surrogates: "\ud83d"
}

const runs: { readonly [name: string]: (n: number) => string } = {
  "parts of a JWT": (n) => `eyJ${"a".repeat(n)}.eyJ${"b".repeat(n)}`,
  "letters of an AWS key": (n) => `AKIA${"1".repeat(n)}a`,
  "letters of a user in a URL": (n) => `://a:${"b:".repeat(n)}`,
  "letters of a header": (n) => `authorization: ${"a".repeat(n)}`,
  "letters of an entity": (n) => `&${"a".repeat(n)};`,
  "letters before a JWT": (n) => `${"a-".repeat(n)}.eyJ`
}

const scrub = makeScrubber([key, "another-secret-ü", "k3y"])
const size = 100_000

const reading = (name: string, make: (n: number) => string, read: (text: string) => string): Case => ({
  name,
  size,
  run: (n) => {
    const text = make(n)
    return () => void read(text)
  }
})

export const secrets: ReadonlyArray<Case> = [
  ...Object.entries(pieces).map(([name, piece]) =>
    reading(`secrets in ${name}`, (n) => piece.repeat(n), (text) => scrub(text))
  ),
  ...Object.entries(runs).map(([name, make]) => reading(`shapes in ${name}`, make, (text) => maskShapes(text, "*")))
]
