/**
 * Loads provider modules by name.
 *
 * The names are no imports that a bundler could follow: esbuild keeps every module that some import names, even one in code that is
 * never used, so an application with one provider would have them all. `src/bundled/` tells a bundler the imports of those who
 * want them all. Without a bundler the files are there, beside this one.
 *
 * @since 0.1.0
 */
import type { Bundled } from "./bundled.ts"

/** A module of a provider. @stability stable @category models @since 0.1.0 */
export type ModuleName = keyof Bundled

let bundled: Bundled | undefined

/**
 * Gives the imports that a bundler has seen.
 *
 * @stability stable
 * @category loading
 * @since 0.1.0
 */
export const bundle = (loaders: Bundled): void => {
  bundled = loaders
}

/**
 * Loads a module of a provider; rejects where it is not.
 *
 * @stability stable
 * @category loading
 * @since 0.1.0
 */
export const moduleOf = <Name extends ModuleName>(name: Name): ReturnType<Bundled[Name]> => {
  const known = bundled?.[name] as Bundled[Name] | undefined
  if (known !== undefined) return known() as ReturnType<Bundled[Name]>
  const file = new URL(import.meta.url)
  file.pathname = file.pathname.replace(/[^/]*(\.[jt]s)$/, `${name}$1`)
  return import(/* @vite-ignore */ /* webpackIgnore: true */ file.href) as ReturnType<Bundled[Name]>
}
