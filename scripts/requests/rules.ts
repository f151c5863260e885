/**
 * Rules that documentation states in words: a place where they are said, and a check that gives what is wrong.
 */
import type { Fault, Sent, Validator } from "./Fault.ts"

/** Notes a fault at a place of the body. */
export type Refuse = (at: string, message: string) => void

/** A sentence of a documentation. */
export interface Rule {
  /** Where it is said. */
  readonly source: string
  readonly check: (sent: Sent, refuse: Refuse) => void
  /** Models it is about. @default all */
  readonly models?: RegExp | undefined
}

/** A validator of rules. */
export const ruled = (name: string, rules: ReadonlyArray<Rule>): Validator => ({
  name,
  check: (sent) => {
    const faults: Array<Fault> = []
    for (const { check, models, source } of rules) {
      if (models !== undefined && !models.test(sent.model)) continue
      check(sent, (at, message) => void faults.push({ at, message, source }))
    }
    return faults
  }
})

/** Every string of a value, with its place. */
export const strings = (value: unknown, visit: (text: string, at: string) => void, at = ""): void => {
  if (typeof value === "string") visit(value, at)
  else if (Array.isArray(value)) value.forEach((one, index) => strings(one, visit, `${at}[${index}]`))
  else if (typeof value === "object" && value !== null) {
    for (const [name, field] of Object.entries(value)) {
      visit(name, at)
      strings(field, visit, at === "" ? name : `${at}.${name}`)
    }
  }
}

/** Fields of the body that must not be there. */
export const without = (source: string, fields: ReadonlyArray<string>, models?: RegExp): Rule => ({
  source,
  models,
  check: ({ body }, refuse) => {
    for (const field of fields) if (body[field] !== undefined) refuse(field, "is refused")
  }
})

/** The fields that a body may have: any other is a fault. */
export const only = (source: string, fields: ReadonlyArray<string>): Rule => ({
  source,
  check: ({ body }, refuse) => {
    for (const field of Object.keys(body)) {
      if (!fields.includes(field)) refuse(field, "is no field of the documentation")
    }
  }
})

/** The values that a field may have. */
export const oneOf = (source: string, field: string, values: ReadonlyArray<unknown>, models?: RegExp): Rule => ({
  source,
  models,
  check: ({ body }, refuse) => {
    const value = body[field]
    if (value !== undefined && !values.includes(value)) {
      refuse(field, `must be one of ${values.join(", ")}, is ${JSON.stringify(value)}`)
    }
  }
})

/** The range of a number. */
export const within = (source: string, field: string, least: number, most: number, models?: RegExp): Rule => ({
  source,
  models,
  check: ({ body }, refuse) => {
    const value = body[field]
    if (typeof value === "number" && (value < least || value > most)) {
      refuse(field, `must be within ${least} and ${most}, is ${value}`)
    }
  }
})
