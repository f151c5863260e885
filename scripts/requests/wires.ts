import type { Validator } from "./Fault.ts"
export const wireValidators = (_wire: string): ReadonlyArray<Validator> => []
