import type { Validator } from "./Fault.ts"
export const hostValidators = (_provider: string, _wire: string): ReadonlyArray<Validator> => []
