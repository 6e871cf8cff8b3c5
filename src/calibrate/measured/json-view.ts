import type { Json } from "../../core/json.ts";
import type { ProblemList } from "./problem-list.ts";

/** Largest number a measurement may state: far above any time in ns since 1970. */
const numberMax = 1e19;

/** A place in a JSON document whose readers note what is not as expected. Absent and null are the same: not stated. */
export class JsonView {
  readonly value: Json | undefined;
  /** Dotted path from the root. */
  readonly at: string;
  readonly #problems: ProblemList;
  readonly #line: number | undefined;

  constructor(value: Json | undefined, problems: ProblemList, at = "", line?: number) {
    this.value = value ?? undefined;
    this.at = at;
    this.#problems = problems;
    this.#line = line;
  }

  get stated(): boolean {
    return this.value !== undefined;
  }

  /** A member of an object, however deep; not stated where any step is not. Notes a step that is no object. */
  get(...keys: readonly string[]): JsonView {
    return keys.reduce((view: JsonView, key) => view.#member(key), this);
  }

  #member(key: string): JsonView {
    if (this.stated && !isObject(this.value)) this.problem("an object", this.value);
    return new JsonView(this.peek(key), this.#problems, this.at === "" ? key : `${this.at}.${key}`, this.#line);
  }

  /** The value of a member, however deep, if it is there: for what a format may hold in several ways. */
  peek(...keys: readonly string[]): Json | undefined {
    const step = (value: Json | undefined, key: string) =>
      isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    return keys.reduce(step, this.value) ?? undefined;
  }

  /** The first of several members that is stated. */
  either(...keys: readonly string[]): JsonView {
    const views = keys.map((key) => this.get(key));
    return views.find((view) => view.stated) ?? views[0] ?? this;
  }

  /** Items of a list; null where none is stated. */
  items(): readonly JsonView[] | null {
    if (!this.stated) return null;
    if (!Array.isArray(this.value)) return this.problem("a list", this.value);
    return (this.value as readonly Json[]).map(
      (item, index) => new JsonView(item, this.#problems, `${this.at}[${index}]`, this.#line),
    );
  }

  /** The items of a list, else this alone. */
  list(): readonly JsonView[] {
    return Array.isArray(this.value) ? (this.items() ?? []) : [this];
  }

  /** A number, 0 or more. */
  number(): number | null {
    if (!this.stated) return null;
    const { value } = this;
    if (typeof value === "number" && value >= 0 && value <= numberMax) return value;
    return this.problem("a number, 0 or more", value);
  }

  /** A rate of requests; null where it is not stated, Infinity where a word says that it is unlimited. */
  rate(): number | null {
    const { value } = this;
    if (typeof value !== "string") return this.number();
    return /^\+?inf(inity)?$/i.test(value) ? Number.POSITIVE_INFINITY : this.problem("a number or inf", value);
  }

  /** A whole number from `min` that fits 32 bits, such as a count of tokens. */
  whole(min: number): number | null {
    if (!this.stated) return null;
    const { value } = this;
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= 0xffff_ffff) return value;
    return this.problem(`a whole number, ${min} or more`, value);
  }

  text(): string | null {
    if (!this.stated) return null;
    return typeof this.value === "string" ? this.value : this.problem("a text", this.value);
  }

  /** Notes how this was read, for whoever uses the measurement. */
  note(text: string): void {
    this.#problems.notes.push(this.at === "" ? text : `${this.at} ${text}`);
  }

  /** Notes that this is not as expected. */
  problem(expected: string, found?: Json): null {
    const place = {
      ...(this.#line === undefined ? {} : { line: this.#line }),
      ...(this.at === "" ? {} : { at: this.at }),
    };
    const shown = Array.isArray(found) ? "a list" : isObject(found) ? "an object" : found;
    return this.#problems.add({ ...place, expected, found: shown });
  }
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return value !== undefined && value !== null && typeof value === "object" && !Array.isArray(value);
}
