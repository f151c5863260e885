/**
 * Runs the official conformance suite for MCP clients against `Mcp`, and writes what it says into docs/interop-mcp.md.
 *
 * The suite (0.1.16) knows the revisions up to 2025-11-25, so it judges that half; the other era is judged by the official server in
 * test/interop. It is installed from judges/mcp-conformance, which has a lockfile of its own. It runs this file once more for each scenario,
 * with the address of its server: then it is the client.
 *
 *     npm run mcp-conformance             all scenarios
 *     npm run mcp-conformance -- sse-retry  one of them, with what it says; writes nothing
 */
import {
  ClientCredentialsProvider,
  CrossAppAccessProvider,
  type OAuthClientProvider,
  PrivateKeyJwtProvider,
  requestJwtAuthorizationGrant,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens
} from "@modelcontextprotocol/client"
import { Effect } from "effect"
import { execFileSync, spawn } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { fileURLToPath } from "node:url"
import * as Mcp from "../src/interop/Mcp.ts"

const self = fileURLToPath(import.meta.url)
const folder = fileURLToPath(new URL("../judges/mcp-conformance/", import.meta.url))
const doc = fileURLToPath(new URL("../docs/interop-mcp.md", import.meta.url))

// =============================================================================
// The client
// =============================================================================

interface Scenario {
  readonly name?: string
  readonly client_id?: string
  readonly client_secret?: string
  readonly private_key_pem?: string
  readonly signing_algorithm?: string
  readonly idp_client_id?: string
  readonly idp_id_token?: string
  readonly idp_token_endpoint?: string
}

/** An application that keeps all in memory, and a person who agrees at once. */
const person = ({ client_id, client_secret }: Scenario) => {
  let information: StoredOAuthClientInformation | undefined = client_id === undefined
    ? undefined
    : { client_id, ...(client_secret === undefined ? undefined : { client_secret }) }
  let tokens: StoredOAuthTokens | undefined
  let verifier = ""
  let callback: URLSearchParams | undefined
  const provider: OAuthClientProvider = {
    redirectUrl: "http://localhost:3000/callback",
    clientMetadataUrl: "https://conformance-test.local/client-metadata.json",
    clientMetadata: {
      client_name: "effect-llm",
      redirect_uris: ["http://localhost:3000/callback"],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"]
    },
    clientInformation: () => information,
    saveClientInformation: (saved) => {
      information = saved
    },
    tokens: () => tokens,
    saveTokens: (saved) => {
      tokens = saved
    },
    saveCodeVerifier: (saved) => {
      verifier = saved
    },
    codeVerifier: () => verifier,
    redirectToAuthorization: async (url) => {
      const { headers } = await fetch(url, { redirect: "manual" })
      const location = headers.get("location")
      if (location !== null) callback = new URL(location).searchParams
    }
  }
  return {
    provider,
    callback: () => {
      const given = callback
      callback = undefined
      return given
    }
  }
}

const providerOf = (given: Scenario, name: string): OAuthClientProvider | undefined => {
  const { client_id: clientId = "", client_secret: clientSecret = "" } = given
  switch (name) {
    case "auth/client-credentials-basic":
      return new ClientCredentialsProvider({ clientId, clientSecret })
    case "auth/client-credentials-jwt":
      return new PrivateKeyJwtProvider({
        clientId,
        privateKey: given.private_key_pem ?? "",
        algorithm: given.signing_algorithm ?? "ES256"
      })
    case "auth/cross-app-access-complete-flow":
      return new CrossAppAccessProvider({
        clientId,
        clientSecret,
        assertion: async ({ authorizationServerUrl, fetchFn, resourceUrl, scope }) => {
          const { jwtAuthGrant } = await requestJwtAuthorizationGrant({
            // The suite's metadata of it lack what OpenID Connect requires, so they are not asked for.
            tokenEndpoint: given.idp_token_endpoint ?? "",
            audience: authorizationServerUrl,
            resource: resourceUrl,
            idToken: given.idp_id_token ?? "",
            clientId: given.idp_client_id ?? "",
            ...(scope === undefined ? undefined : { scope }),
            fetchFn
          })
          return jwtAuthGrant
        }
      })
    default:
      return undefined
  }
}

/** What a form says of its fields, where it says it. */
const defaultsOf = ({ schema }: Mcp.Elicitation) => {
  const properties = (schema?.["properties"] ?? {}) as { readonly [name: string]: { readonly default?: never } }
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, field]) => field.default === undefined ? [] : [[name, field.default]])
  )
}

const client = (url: string) =>
  Effect.gen(function*() {
    const given = JSON.parse(process.env["MCP_CONFORMANCE_CONTEXT"] ?? "{}") as Scenario
    const name = process.env["MCP_CONFORMANCE_SCENARIO"] ?? ""
    const { callback, provider } = person(given)
    const servers = yield* Mcp.make({
      s: {
        endpoint: Mcp.http(url, name.startsWith("auth/") ? { authProvider: providerOf(given, name) ?? provider } : {}),
        prefix: "",
        elicit: (elicitation) => Effect.succeed({ action: "accept", content: defaultsOf(elicitation) })
      }
    })
    /** As an application does: where somebody was sent to agree, it waits until they are back. */
    const authorized = Effect.gen(function*() {
      const query = callback()
      if (query === undefined) return false
      yield* servers.finishAuth("s", query)
      return true
    })
    let handlers = yield* servers.tools
    for (let times = 0; times < 2 && (yield* authorized); times++) handlers = yield* servers.tools
    const [status] = yield* servers.status
    if (status?.state !== "up") return yield* Effect.die(new Error(status?.problems.join("\n")))
    for (const { name } of handlers.tools) {
      const call = Effect.suspend(() =>
        handlers.handlerOf(name)!({ a: 5, b: 3 }, {
          runId: "conformance",
          toolCallId: name,
          idempotencyKey: name,
          progress: () => Effect.void,
          left: {},
          nested: undefined,
          wentOn: () => Effect.void
        })
      )
      let result = yield* call
      for (let times = 0; times < 2 && (yield* authorized); times++) result = yield* call
      console.log(name, JSON.stringify(result))
    }
  })

// =============================================================================
// The suite
// =============================================================================

interface Check {
  readonly id: string
  readonly status: string
  readonly errorMessage?: string
  readonly description?: string
}

interface Verdict {
  readonly scenario: string
  readonly versions: string
  readonly passed: number
  readonly failed: ReadonlyArray<Check>
  readonly warnings: ReadonlyArray<Check>
  readonly output: string
}

const bin = `${folder}node_modules/@modelcontextprotocol/conformance/dist/index.js`

const scenarios = (): ReadonlyArray<readonly [name: string, versions: string]> => {
  const listed = execFileSync(process.execPath, [bin, "list"], { encoding: "utf8" })
  return listed.slice(listed.indexOf("Client scenarios")).split("\n").flatMap((line) => {
    const found = /^ {2}- (\S+) \[(.*)\]$/.exec(line)
    return found === null ? [] : [[found[1]!, found[2]!] as const]
  })
}

const judged = ([scenario, versions]: readonly [string, string]): Effect.Effect<Verdict> =>
  Effect.callback<Verdict>((resume) => {
    const results = mkdtempSync(`${tmpdir()}/mcp-conformance-`)
    const child = spawn(process.execPath, [
      bin,
      "client",
      "--command",
      `${process.execPath} ${self}`,
      "--scenario",
      scenario,
      "--timeout",
      "60000",
      "--output-dir",
      results,
      "--verbose"
    ], { cwd: folder, stdio: "pipe" })
    let output = ""
    child.stdout.on("data", (chunk: Buffer) => output += chunk.toString())
    child.stderr.on("data", (chunk: Buffer) => output += chunk.toString())
    child.on("close", () => {
      const found = existsSync(results)
        ? readdirSync(results, { recursive: true, encoding: "utf8" }).find((file) => file.endsWith("checks.json"))
        : undefined
      const checks = found === undefined ? [] : JSON.parse(readFileSync(`${results}/${found}`, "utf8")) as Array<Check>
      const failed = checks.filter(({ status }) => status === "FAILURE")
      rmSync(results, { recursive: true, force: true })
      resume(Effect.succeed({
        scenario,
        versions,
        passed: checks.filter(({ status }) => status === "SUCCESS").length,
        failed: checks.length === 0 ? [{ id: "none", status: "FAILURE", errorMessage: "no checks were made" }] : failed,
        warnings: checks.filter(({ status }) => status === "WARNING"),
        output
      }))
    })
    return Effect.sync(() => child.kill())
  })

/** Scenarios that are known to fail, and why that is as it should be. */
const known: { readonly [scenario: string]: string } = {
  "auth/2025-03-26-oauth-metadata-backcompat":
    "the metadata name another issuer than the one they are read from, which the SDK refuses as RFC 8414 (3.3) says"
}

const begin = "<!-- conformance: begin -->"
const end = "<!-- conformance: end -->"

const table = (verdicts: ReadonlyArray<Verdict>): string => {
  const rows = verdicts.map(({ failed, passed, scenario, versions, warnings }) => {
    const words = [
      ...failed.map(({ errorMessage, id }) => `failed: ${id}${errorMessage === undefined ? "" : ` (${errorMessage})`}`),
      ...warnings.map(({ id }) => `warning: ${id}`),
      ...(failed.length > 0 && known[scenario] !== undefined ? [`known: ${known[scenario]}`] : [])
    ]
    return `| \`${scenario}\` | ${versions} | ${passed} | ${failed.length} | ${
      words.join("; ").replaceAll("|", "\\|")
    } |`
  })
  const good = verdicts.filter(({ failed }) => failed.length === 0).length
  const checks = verdicts.reduce((sum, { failed, passed }) => sum + passed + failed.length, 0)
  const passed = verdicts.reduce((sum, { passed }) => sum + passed, 0)
  return [
    `${good} of ${verdicts.length} scenarios pass, ${passed} of ${checks} checks.`,
    "",
    "| scenario | revisions | passed | failed | notes |",
    "| --- | --- | --- | --- | --- |",
    ...rows
  ].join("\n")
}

const suite = (only: string | undefined) =>
  Effect.gen(function*() {
    if (!existsSync(bin)) execFileSync("npm", ["ci", "--ignore-scripts"], { cwd: folder, stdio: "inherit" })
    const wanted = scenarios().filter(([name]) => only === undefined || name === only)
    const verdicts = yield* Effect.forEach(
      wanted,
      judged,
      { concurrency: 2 }
    )
    const text = table(verdicts)
    console.log(text)
    if (only !== undefined) return console.log(verdicts.map(({ output }) => output).join("\n"))
    const before = readFileSync(doc, "utf8")
    const [head] = before.split(begin)
    const [, tail] = before.split(end)
    writeFileSync(doc, `${head}${begin}\n\n${text}\n\n${end}${tail}`)
    const asExpected = verdicts.every(({ failed, scenario }) => (failed.length > 0) === (known[scenario] !== undefined))
    if (!asExpected) process.exitCode = 1
  })

const [argument] = process.argv.slice(2)
await Effect.runPromise(
  argument?.startsWith("http") === true ? Effect.scoped(client(argument)) : suite(argument)
)
