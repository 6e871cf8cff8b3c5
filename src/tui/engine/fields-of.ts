import { MoecastError } from "../../core/errors.ts";
import { formFields } from "../../scenario/form-fields.ts";
import { statedValues } from "../../scenario/parse-scenario.ts";
import type { EngineOrder, EngineReport } from "./messages.ts";

/** The keys that a scenario may state. It need not be valid: a form is there to make it so. */
export function fieldsOf({ id, request }: Extract<EngineOrder, { kind: "fields" }>): EngineReport {
  const { file, text, settings, params } = request;
  try {
    return { kind: "fields", id, fields: formFields(statedValues(text, file, { settings, params })) };
  } catch (error) {
    if (!(error instanceof MoecastError)) throw error;
    return { kind: "failed", id, message: error.message };
  }
}
