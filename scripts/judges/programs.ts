/** Runs programs of others: in a folder of their own, with few variables, for a limited time, and nothing of theirs left behind. */
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
  readonly timedOut: boolean
  /** Addresses that were listened on while it ran, but for those that are known. */
  readonly listened: ReadonlyArray<string>
}

export interface Program {
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly limitMillis: number
}

const hexAddress = (hex: string): string => {
  const [address = "", port = ""] = hex.split(":")
  const bytes = address.length === 8
    ? address.match(/../g)!.toReversed().map((byte) => parseInt(byte, 16)).join(".")
    : address
  return `${bytes}:${parseInt(port, 16)}`
}

/** Addresses that are listened on in this network namespace (`proc(5)`, `/proc/net/tcp`: state 0A). */
const listening = (): ReadonlyArray<string> =>
  ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((file) => {
    try {
      return readFileSync(file, "utf8").split("\n").slice(1).flatMap((line) => {
        const [, local, , state] = line.trim().split(/\s+/)
        return state === "0A" && local !== undefined ? [hexAddress(local)] : []
      })
    } catch {
      return []
    }
  })

export const runProgram = ({ args, command, cwd, env, limitMillis }: Program): Effect.Effect<Ended> =>
  Effect.promise(() =>
    new Promise((resolve) => {
      const known = new Set(listening())
      const listened = new Set<string>()
      const child = spawn(command, args, {
        cwd,
        env: { PATH: `${process.execPath.replace(/\/node$/, "")}:${process.env["PATH"] ?? ""}`, ...env },
        stdio: ["ignore", "pipe", "pipe"],
        detached: true
      })
      let out = ""
      let err = ""
      let timedOut = false
      child.stdout.on("data", (piece) => (out += String(piece)))
      child.stderr.on("data", (piece) => (err += String(piece)))
      const killAll = () => {
        try {
          process.kill(-child.pid!, "SIGKILL")
        } catch {
          // All of the group have ended.
        }
      }
      const watch = setInterval(
        () => listening().filter((one) => !known.has(one)).forEach((one) => listened.add(one)),
        200
      )
      const limit = setTimeout(() => {
        timedOut = true
        killAll()
      }, limitMillis)
      child.on("error", (error) => (err += error.message))
      child.on("close", (code) => {
        clearInterval(watch)
        clearTimeout(limit)
        killAll()
        resolve({ code, out, err, timedOut, listened: [...listened] })
      })
    })
  )
