/**
 * Modules that are loaded when they are first needed, and used at once from then on.
 *
 * @since 0.1.0
 */

/**
 * What a module gives, once it is loaded.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Lazy<out A> {
  /** `undefined` until it is loaded. */
  readonly ready: A | undefined
  /** Loads it, unless it is there; one that could not be loaded is tried again. */
  readonly load: () => Promise<A>
}

/**
 * A module that is loaded once.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const lazy = <A>(get: () => Promise<A>): Lazy<A> => {
  let ready: A | undefined
  return {
    get ready() {
      return ready
    },
    load: () => ready === undefined ? get().then((module) => ready = module) : Promise.resolve(ready)
  }
}

/**
 * What is made of a module.
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const made = <A, B>(module: Lazy<A>, make: (module: A) => B): Lazy<B> => {
  let ready: B | undefined
  const of = (loaded: A): B => ready ??= make(loaded)
  return {
    get ready() {
      return ready ?? (module.ready === undefined ? undefined : of(module.ready))
    },
    load: () => module.load().then(of)
  }
}
