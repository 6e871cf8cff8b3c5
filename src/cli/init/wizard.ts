import { formatBytes } from "../../core/units.ts";
import { catalogue, modelNamed } from "../../models/catalogue.ts";
import { describeModel } from "../../models/describe.ts";
import { hardwareList } from "../../report/profile-catalogue.ts";
import type { Prompts } from "./prompts.ts";
import type { Template } from "./template.ts";
import { type TemplateName, templates } from "./templates.ts";

/** What options of the command line said; what is absent is asked for. */
export interface Said {
  readonly template?: TemplateName;
  readonly model?: string;
  readonly hardware?: string;
  readonly rate?: number;
  readonly name?: string;
}

/** What is wrong with a name: it becomes that of a file. */
export function nameProblem(name: string): string | null {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/.test(name)
    ? null
    : "expected letters, digits, dots, dashes and underscores, at most 80";
}

/** What is wrong with a rate; an empty one leaves it open. */
const rateProblem = (text: string): string | null =>
  text.trim() === "" || (Number(text) > 0 && Number(text) <= 1e6)
    ? null
    : "expected requests per second, such as 4 or 0.5";

const modelOptions = () =>
  Object.keys(catalogue).map((id) => {
    const { parameters, weights } = describeModel(modelNamed(id));
    const billions = (n: number) => `${(n / 1e9).toFixed(1)} B`;
    return {
      value: id,
      label: id,
      hint: `${billions(parameters.total)} parameters, ${billions(parameters.active)} active, ${formatBytes(weights.totalBytes)}`,
    };
  });

const systemOptions = () =>
  hardwareList()
    .filter(({ type }) => type === "system")
    .map(({ id, name, summary }) => ({ value: id, label: id, hint: `${name}: ${summary}` }));

/** Asks for what was not said, each question with its default. Null where the person leaves. */
export async function askFor(said: Said, prompts: Prompts): Promise<Said | null> {
  const options = Object.entries(templates).map(([value, { title }]) => ({
    value: value as TemplateName,
    label: `${value.padEnd(7)}  ${title}`,
  }));
  const template = said.template ?? (await prompts.choose("What do you want to know?", options, "chat"));
  if (template === null) return null;
  const { defaults, defaultLoad }: Template = templates[template];
  const model = said.model ?? (await prompts.find("Which model?", modelOptions(), defaults.model));
  if (model === null) return null;
  const hardware = said.hardware ?? (await prompts.find("On which hardware?", systemOptions(), defaults.system));
  if (hardware === null) return null;
  const placeholder =
    defaultLoad === "found" ? "leave empty: a load that keeps the objectives is looked for" : "leave empty: one person";
  const rate =
    said.rate === undefined
      ? await prompts.ask("How many requests per second?", { placeholder, check: rateProblem })
      : String(said.rate);
  if (rate === null) return null;
  const name =
    said.name ?? (await prompts.ask("Name of the scenario?", { initial: defaults.name, check: nameProblem }));
  if (name === null) return null;
  return { template, model, hardware, name, ...(rate.trim() === "" ? {} : { rate: Number(rate) }) };
}
