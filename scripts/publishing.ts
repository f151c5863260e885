/**
 * What has to hold before the package is published: its name is ours at the registry (or nobody's), its version is new, and it says where
 * its source is. A dead package of another owner has a similar name (`@jclem/effect-llm`), so a slip would publish under the wrong one.
 */
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"

interface Manifest {
  readonly name: string
  readonly version: string
  readonly repository?: { readonly url?: string }
}
const { name, repository, version } = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.url), "utf8")
) as Manifest

const view = (...fields: ReadonlyArray<string>): unknown => {
  try {
    const text = execFileSync("npm", ["view", name, ...fields, "--json"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"]
    })
    return text.trim() === "" ? undefined : JSON.parse(text)
  } catch (error) {
    if (
      /\bE404\b/.test(String((error as { stdout?: unknown }).stdout) + String((error as { stderr?: unknown }).stderr))
    ) return undefined
    throw error
  }
}

const problems: Array<string> = []
if (name !== "effect-llm") problems.push(`the name is ${name}, not effect-llm`)
if (repository?.url === undefined) {
  problems.push("package.json names no repository, which provenance and the links of the registry's page need")
}
const published = view("repository.url")
if (published !== undefined && published !== repository?.url) {
  problems.push(`${name} is published from ${String(published)}`)
}
const versions = view("versions")
if (Array.isArray(versions) ? versions.includes(version) : versions === version) {
  problems.push(`${name}@${version} is published already`)
}

if (problems.length > 0) {
  process.stderr.write(`${problems.join("\n")}\n`)
  process.exitCode = 1
}
