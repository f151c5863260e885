export { makeHelper as make } from "./client.mjs"
