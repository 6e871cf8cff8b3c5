import { type Document, isMap, isSeq, parseDocument, visit } from "yaml";
import type { Problem } from "../core/errors.ts";
import { pathText, type ValuePath, type YamlSource } from "./yaml-source.ts";

/** One `path=value` of the command line, applied over a scenario. */
export interface Setting {
  readonly text: string;
  readonly path: ValuePath;
}

/**
 * Writes settings such as `policy.offload.slots=4` or `slo.ttft[0]=p(99)<1s` into the document, in order; missing
 * mappings on the way are made, and `path=null` removes the key. Values are YAML. Returns what was applied and what
 * could not be.
 */
export function applySettings(
  source: YamlSource,
  texts: readonly string[],
): { readonly applied: readonly Setting[]; readonly problems: readonly Problem[] } {
  const applied: Setting[] = [];
  const problems: Problem[] = [];
  for (const text of texts) {
    const problem = applyOne(source, text, applied);
    if (problem !== null) problems.push({ file: settingName(text), ...problem });
  }
  return { applied, problems };
}

/** A value as a setting's YAML text; a string as it stands where that reads as the same string. */
export function yamlText(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value);
  const plain = /^[^\s,[\]{}'"#&*!|>%@`-][^\n\r,[\]{}'"#]*$/.test(value) && parseDocument(value).toJS() === value;
  return plain ? value : JSON.stringify(value);
}

/** How messages name the setting a value came from. */
export const settingName = (text: string): string => `--set ${text}`;

function applyOne(source: YamlSource, text: string, applied: Setting[]): Problem | null {
  const equals = text.indexOf("=");
  if (equals < 1) return { expected: "path=value, such as policy.offload.slots=4", found: text };
  const path = parsePath(text.slice(0, equals));
  if (path === null) return { expected: "keys joined by dots, items as [0]", found: text.slice(0, equals) };
  const value = parseDocument(text.slice(equals + 1), { strict: true, uniqueKeys: true, version: "1.2" });
  const error = value.errors[0] ?? value.warnings[0];
  if (error !== undefined)
    return { at: pathText(path), expected: "a YAML value", hint: error.message.split("\n")[0] ?? "" };
  if (holdsAlias(value)) return { at: pathText(path), expected: "a YAML value without aliases", found: text };

  for (let depth = 0; depth < path.length; depth += 1) {
    const above = path.slice(0, depth);
    const holder: unknown = depth === 0 ? source.document.contents : source.document.getIn(above, true);
    const step = path[depth];
    if (holder === undefined || holder === null) {
      // Made on the way: a list that is made has one item.
      if (path.slice(depth).some((later) => typeof later === "number" && later > 0))
        return { at: pathText(path), expected: `a list at ${pathText(above)}`, found: "nothing" };
      break;
    }
    if (typeof step === "number" ? !isSeq(holder) : !isMap(holder)) {
      const kind = typeof step === "number" ? "a list" : "a mapping";
      return { at: pathText(path), expected: `${kind} at ${pathText(above) || "the top"}` };
    }
    if (isSeq(holder) && Number(step) > holder.items.length)
      return { at: pathText(path), expected: `an item of 0 to ${holder.items.length}`, found: step };
  }
  if (value.contents === null || value.toJS() === null) {
    if (source.document.hasIn(path)) source.document.deleteIn(path);
  } else source.document.setIn(path, value.contents);
  applied.push({ text, path });
  return null;
}

/** An alias would stand for an anchor of the value alone, which has none before it. */
function holdsAlias(value: Document): boolean {
  let found = false;
  visit(value, {
    Alias: () => {
      found = true;
      return visit.BREAK;
    },
  });
  return found;
}

/** Keys of the settings path; text in braces belongs to its key, so that `slo.ttft{class:a.b}` has two. */
function parsePath(text: string): ValuePath | null {
  const path: (string | number)[] = [];
  for (const part of text.split(/\.(?![^{]*\})/)) {
    const match = /^([^[\]]+)((?:\[\d+\])*)$/.exec(part.trim());
    if (match === null) return null;
    path.push(match[1] ?? "");
    for (const index of (match[2] ?? "").matchAll(/\d+/g)) path.push(Number(index[0]));
  }
  return path;
}
