/**
 * Completes every lockfile of the project: with the platform builds that the registry at hand did not offer, and with integrities.
 *
 * npm leaves an optional dependency out of the lockfile when it cannot be fetched, for example because a mirror holds
 * the builds of one platform only; `npm ci` then refuses that same lockfile as incomplete, on every platform. The name
 * of a platform build says which platform it is for, which is all that npm needs to skip it elsewhere.
 *
 * Every entry has an integrity, so that nobody can put something else in its place. Builds of `unavailable` have none as long as
 * this is run behind a mirror that does not hold them; run where they are offered, it adds theirs too, and the exception can go.
 *
 * Run it after `npm install`. `--check` changes nothing, asks nobody, and fails when an entry or an integrity is missing.
 */
import { execFileSync } from "node:child_process"
import { globSync, readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

interface Entry {
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly link?: boolean
  readonly inBundle?: boolean
  readonly cpu?: ReadonlyArray<string>
  readonly dev?: boolean
  readonly libc?: ReadonlyArray<string>
  readonly optional?: boolean
  readonly os?: ReadonlyArray<string>
  readonly peer?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const systems = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"]
const processors = ["arm", "arm64", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "x64"]
const libraries: Readonly<Record<string, string>> = {
  gnu: "glibc",
  glibc: "glibc",
  gnueabihf: "glibc",
  musl: "musl",
  musleabihf: "musl"
}

/** Builds for other platforms of two development tools, which the mirror did not hold on 2026-12-01. */
const unavailable = /^node_modules\/(?:@dprint\/(?:android|darwin|linux|win32)|@effect\/tsgo-(?:darwin|linux|win32))-/

const integrityOf = (path: string, { version }: Entry): string | undefined => {
  const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length)
  try {
    return execFileSync("npm", ["view", `${name}@${version}`, "dist.integrity"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"]
    }).trim() || undefined
  } catch {
    return undefined
  }
}

const complete = (file: string): void => {
  const lock = JSON.parse(readFileSync(file, "utf8")) as { packages: Record<string, Entry> }
  const missing = new Map<string, Entry>()
  const problems: Array<string> = []

  for (const [path, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (`node_modules/${name}` in lock.packages || `${path}/node_modules/${name}` in lock.packages) continue
      const words = name.slice(name.lastIndexOf("/") + 1).split("-")
      const os = words.find((word) => systems.includes(word))
      const cpu = words.find((word) => processors.includes(word))
      const libc = words.map((word) => libraries[word]).find((word) => word !== undefined)
      if (os === undefined || cpu === undefined || !/^\d+\.\d+\.\d+/.test(version)) {
        problems.push(`${name}@${version}, wanted by ${path}: not the name of a platform build`)
        continue
      }
      missing.set(`node_modules/${name}`, {
        version,
        cpu: [cpu],
        ...(entry.dev === true && { dev: true }),
        ...(libc !== undefined && { libc: [libc] }),
        optional: true,
        os: [os],
        ...(entry.peer === true && { peer: true })
      })
    }
  }

  const unsealed = Object.entries({ ...lock.packages, ...Object.fromEntries(missing) }).filter(([path, entry]) =>
    path !== "" && entry.integrity === undefined && entry.link !== true && entry.inBundle !== true
  )

  if (problems.length > 0) {
    console.error(`${file}:\n${problems.join("\n")}`)
    process.exitCode = 1
  } else if (process.argv.includes("--check")) {
    if (missing.size > 0) {
      console.error(`${file} lacks these (run: node scripts/lockfile.ts):\n${[...missing.keys()].join("\n")}`)
      process.exitCode = 1
    }
    const open = unsealed.map(([path]) => path).filter((path) => !unavailable.test(path))
    if (open.length > 0) {
      console.error(`${file} has no integrity for these (run: node scripts/lockfile.ts):\n${open.join("\n")}`)
      process.exitCode = 1
    }
    const resolved = Object.entries(lock.packages).filter(([, entry]) => entry.resolved?.includes("://") === true)
    if (resolved.length > 0) {
      console.error(`${file} names the host of a registry:\n${resolved.map(([path]) => path).join("\n")}`)
      process.exitCode = 1
    }
  } else if (missing.size > 0 || unsealed.length > 0) {
    const sealed = unsealed.flatMap(([path, entry]): ReadonlyArray<readonly [string, Entry]> => {
      const integrity = integrityOf(path, entry)
      return integrity === undefined ? [] : [[path, { version: entry.version!, integrity, ...entry }]]
    })
    const packages = Object.fromEntries(
      Object.entries({ ...lock.packages, ...Object.fromEntries(missing), ...Object.fromEntries(sealed) })
        .toSorted(([a], [b]) => a.localeCompare(b, "en"))
    )
    writeFileSync(file, `${JSON.stringify({ ...lock, packages }, undefined, 2)}\n`)
    console.log(
      `${file}: added ${missing.size} platform builds and ${sealed.length} integrities` +
        (sealed.length < unsealed.length ? `; the registry has none for ${unsealed.length - sealed.length}` : "")
    )
  }
}

const root = fileURLToPath(new URL("../", import.meta.url))
for (
  const file of globSync([
    "package-lock.json",
    ".ci/*/package-lock.json",
    "bench/**/peers/*/package-lock.json",
    "judges/*/package-lock.json"
  ], {
    cwd: root
  })
) {
  complete(`${root}${file}`)
}
