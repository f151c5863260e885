/**
 * Fields by names that come from outside, such as a server's JSON or a schema's properties.
 *
 * An object answers for names it does not have (`constructor`, `toString`), and an assignment to `__proto__` changes its
 * prototype and loses the value. `JSON.parse`, spread and `Object.fromEntries` make fields of its own of any name;
 * assignment and reading do not.
 *
 * @since 0.1.0
 */

/**
 * Sets a field.
 *
 * @category combinators
 * @since 0.1.0
 */
export const setOwn = <A>(target: { [name: string]: A }, name: string, value: A): void => {
  if (name !== "__proto__") target[name] = value
  else Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true })
}

/**
 * The value of a field, `undefined` where the object has none of that name itself.
 *
 * @category accessors
 * @since 0.1.0
 */
export const ownOf = <A>(target: { readonly [name: string]: A }, name: string): A | undefined =>
  Object.hasOwn(target, name) ? target[name] : undefined
