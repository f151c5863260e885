/**
 * Which turns follow which: where the system speaks, who begins, who ends, and that roles alternate.
 *
 * @since 0.1.0
 */
import type { Role } from "../../Message.ts"
import { type Step, tell, type Turn } from "./Turn.ts"

const said = (role: Role, text: string): Turn => ({ role, parts: [{ type: "text", text }] })

/**
 * Makes system turns in the middle the user's.
 *
 * @stability experimental
 * @category steps
 * @since 0.1.0
 */
export const systemPlacement: Step = {
  name: "system placement",
  isNeeded: (rules) => rules.leadingSystem === true,
  run: (turns, _, findings) => {
    const spoken = turns.findIndex((turn) => turn.role !== "system")
    if (spoken === -1 || !turns.some((turn, at) => at > spoken && turn.role === "system")) return turns
    tell(findings, "Instructions in the middle of a conversation have no role here; they were sent as the user's.")
    return turns.map((turn, at) => at > spoken && turn.role === "system" ? { role: "user", parts: turn.parts } : turn)
  }
}

/**
 * Joins neighbours of one role.
 *
 * @stability experimental
 * @category steps
 * @since 0.1.0
 */
export const alternation: Step = {
  name: "alternation",
  isNeeded: (rules) => rules.alternating === true,
  run: (turns) => {
    const out: Array<{ readonly role: Role; readonly parts: Array<Turn["parts"][number]> }> = []
    for (const { parts, role } of turns) {
      const last = out.at(-1)
      if (last === undefined || last.role !== role || role === "system" || role === "tool") {
        out.push({ role, parts: [...parts] })
      } else for (const part of parts) last.parts.push(part)
    }
    return out
  }
}

/**
 * Puts a user turn first.
 *
 * @stability experimental
 * @category steps
 * @since 0.1.0
 */
export const first: Step = {
  name: "first",
  isNeeded: (rules) => rules.userFirst === true,
  run: (turns, _, findings) => {
    const at = turns.findIndex((turn) => turn.role !== "system")
    if (at === -1 || turns[at]!.role === "user") return turns
    tell(findings, "A conversation must begin with a user message here; one that says so was put first.")
    return [...turns.slice(0, at), said("user", "(The assistant begins.)"), ...turns.slice(at)]
  }
}

/**
 * Lets no assistant turn be last.
 *
 * @stability experimental
 * @category steps
 * @since 0.1.0
 */
export const last: Step = {
  name: "last",
  isNeeded: (rules) => rules.userLast === true,
  run: (turns, _, findings) => {
    const end = turns.at(-1)
    // An answer that was paused in the provider's own tools goes on from where it is.
    if (end?.role !== "assistant" || end.parts.at(-1)?.type === "server-tool") return turns
    tell(
      findings,
      "A conversation cannot end with an assistant message here; a user message that asks to go on was added. " +
        "What comes next takes its place, and a prompt cache ends there."
    )
    return [...turns, said("user", "Go on from exactly where your last message stops.")]
  }
}

/**
 * Lets the assistant speak between tool results and the user.
 *
 * @stability experimental
 * @category steps
 * @since 0.1.0
 */
export const afterTools: Step = {
  name: "after tools",
  isNeeded: (rules) => rules.assistantAfterTool === true,
  run: (turns) =>
    turns.flatMap((turn, at) =>
      turns[at - 1]?.role === "tool" && turn.role !== "assistant" && turn.role !== "tool"
        ? [said("assistant", "I have the tool results."), turn]
        : [turn]
    )
}
