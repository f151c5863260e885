import { assert, describe, it } from "@effect/vitest"
import { SignatureV4 } from "@smithy/signature-v4"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as fc from "fast-check"
import { createHash, createHmac } from "node:crypto"
import { type AwsCredentials, sign, type Signable, uriEncode } from "../../src/transport/AwsSignature.ts"

// The example credentials of AWS's own documentation and test suite.
const credentials: AwsCredentials = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: Redacted.make("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
}

const now = Date.UTC(2015, 7, 30, 12, 36, 0)

const suite: Signable = {
  method: "GET",
  url: "https://example.amazonaws.com/",
  headers: {},
  body: "",
  service: "service",
  region: "us-east-1",
  credentials,
  now
}

const signatureOf = (more: Partial<Signable>) =>
  Effect.map(sign({ ...suite, ...more }), (headers) => /Signature=(.*)$/.exec(headers["authorization"] ?? "")?.[1])

class Sha256 {
  private readonly hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.hash = secret === undefined
      ? createHash("sha256")
      : createHmac("sha256", typeof secret === "string" ? secret : Buffer.from(new Uint8Array(secret as ArrayBuffer)))
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.hash.update(typeof data === "string" ? data : Buffer.from(new Uint8Array(data as ArrayBuffer)))
  }
  async digest(): Promise<Uint8Array> {
    return new Uint8Array(this.hash.digest())
  }
  reset(): void {}
}

/** What AWS's own signer makes of a request. */
const reference = async (signable: Signable): Promise<Record<string, string>> => {
  const url = new URL(signable.url)
  const signer = new SignatureV4({
    service: signable.service,
    region: signable.region,
    credentials: {
      accessKeyId: signable.credentials.accessKeyId,
      secretAccessKey: Redacted.value(signable.credentials.secretAccessKey),
      ...(signable.credentials.sessionToken === undefined
        ? {}
        : { sessionToken: Redacted.value(signable.credentials.sessionToken) })
    },
    sha256: Sha256,
    applyChecksum: false
  })
  const signed = await signer.sign({
    method: signable.method,
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: { ...signable.headers, host: url.host },
    body: signable.body
  }, { signingDate: new Date(signable.now) })
  return signed.headers
}

describe("AWS Signature Version 4", () => {
  it.effect("signs the requests of AWS's test suite as published", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* sign(suite), {
        "x-amz-date": "20150830T123600Z",
        authorization: "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, " +
          "SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
      })
      assert.strictEqual(
        yield* signatureOf({ method: "POST" }),
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
      )
      assert.strictEqual(
        yield* signatureOf({ url: "https://example.amazonaws.com/?Param2=value2&Param1=value1" }),
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
      )
      assert.strictEqual(
        yield* signatureOf({
          url: "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
          service: "iam",
          headers: { "Content-Type": "application/x-www-form-urlencoded; charset=utf-8" }
        }),
        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
      )
    }))

  it.effect("agrees with AWS's own signer on a Bedrock request with a session token", () =>
    Effect.gen(function*() {
      const request: Signable = {
        ...suite,
        method: "POST",
        url:
          "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ messages: [{ role: "user", content: [{ text: "Grüße 🌞" }] }] }),
        service: "bedrock",
        credentials: { ...credentials, sessionToken: Redacted.make("a-session-token==") }
      }
      const made = yield* sign(request)
      const wanted = yield* Effect.promise(() => reference(request))
      assert.strictEqual(made["authorization"], wanted["authorization"])
      assert.strictEqual(made["x-amz-security-token"], "a-session-token==")
    }))

  it("agrees with AWS's own signer on any path, body and header", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }), { maxLength: 4 }),
        fc.string({ unit: "grapheme" }),
        fc.stringMatching(/^[a-z0-9 /;=-]{0,20}$/),
        async (segments, body, type) => {
          const path = segments.filter((segment) => segment.isWellFormed() && segment !== "." && segment !== "..")
            .map(uriEncode).join("/")
          const request: Signable = {
            ...suite,
            method: "POST",
            url: `https://bedrock-runtime.eu-west-3.amazonaws.com/model/${path}`,
            headers: { "content-type": type, accept: "*/*", "user-agent": "any", "x-amz-meta": "a   b" },
            body: body.toWellFormed(),
            region: "eu-west-3",
            service: "bedrock"
          }
          const made = await Effect.runPromise(sign(request))
          // Theirs signs every header but a few; it is given those that are signed here.
          const { accept: _, "user-agent": __, ...headers } = request.headers
          const wanted = await reference({ ...request, headers })
          assert.strictEqual(made["authorization"], wanted["authorization"])
        }
      ),
      { numRuns: 150, seed: 20261121 }
    ))

  it.effect("signs only headers that proxies leave alone", () =>
    Effect.gen(function*() {
      const made = yield* sign({
        ...suite,
        headers: { Accept: "*/*", "X-Forwarded-For": "10.0.0.1", "X-Amz-Target": "one", "content-type": "text/plain" }
      })
      assert.include(made["authorization"], "SignedHeaders=content-type;host;x-amz-date;x-amz-target,")
    }))

  it.effect("fails without telling the secret where the URL is none", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(sign({ ...suite, url: "nowhere" }))
      assert.strictEqual(error._tag, "Configuration")
      assert.notInclude(JSON.stringify(error), "wJalr")
    }))
})
