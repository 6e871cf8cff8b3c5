import type { Json } from "../core/json.ts";
import { isObject } from "./json-object.ts";

/** Whether a value switches a feature off: nothing, false, zero, -1, or empty. */
export function isInert(value: Json): boolean {
  if (value === null || value === false || value === 0 || value === -1 || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}
