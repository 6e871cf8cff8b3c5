import { z } from "zod";

/**
 * Keys that a scenario may give beside the `kind` of a member of a family, such as a policy or a transform, each with
 * its check, default and meaning.
 */
export type Parameters = z.ZodRawShape;

/** Their values, checked, defaults filled in. */
export type ParameterValues<Shape extends Parameters> = z.output<z.ZodObject<Shape>>;

/** What is wrong between values that are right one by one, at the key to mend. */
export interface Contradiction {
  readonly key: string;
  readonly expected: string;
}

/** The parameters of a member among the keys of a section. */
export function parametersIn<Shape extends Parameters>(shape: Shape, section: object): ParameterValues<Shape> {
  return Object.fromEntries(Object.entries(section).filter(([key]) => key in shape)) as ParameterValues<Shape>;
}

/** The values of a member that nobody gave any. Each of its parameters must have a default. */
export const defaultsOf = <Shape extends Parameters>(shape: Shape): ParameterValues<Shape> => z.object(shape).parse({});
