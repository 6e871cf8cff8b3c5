import { InvalidInputError, type Problem } from "../../core/errors.ts";
import { formatCount } from "../../core/units.ts";
import { engineProfileNamed } from "../../engine/catalogue.ts";
import { systemProfileNamed } from "../../hardware/named-profiles.ts";
import { pathText, type ValuePath } from "../../scenario/yaml-source.ts";
import { candidatesMax, type PlanQuestion } from "./question.ts";
import { rateSettings } from "./traffic-scale.ts";

/**
 * What no axis varies: the question itself, what the space chooses by its own axes, and what has no meaning for a deployment. A path
 * below one of these is none either.
 */
const notVaried = [
  ...[
    "version",
    "name",
    "description",
    "params",
    "plan",
    "sweep",
    "seed",
    "warmup",
    "coldStart",
    "traffic",
    "routing",
    "slo",
  ],
  ...["model.id", "model.file", "model.shape", "modelCache", "cost", "parallel", "pools"],
  ...["hardware.system", "hardware.file", "hardware.device", "hardware.devicesPerNode", "engine.id", "engine.file"],
];

/** Throws InvalidInputError, with every problem, for a question that has no answer whatever the space. */
export function checkQuestion(question: PlanQuestion): void {
  const { scenario } = question;
  const problems = [...namesUnknown(question), ...axesAside(question), ...objectivesWithout(question)].map(
    ({ path, ...problem }): Problem => ({ ...scenario.place(path), at: pathText(path), ...problem }),
  );
  if (problems.length > 0) throw new InvalidInputError(problems);
}

interface Found extends Omit<Problem, "at"> {
  readonly path: ValuePath;
}

/** Profiles are known before anything runs: one that is not is a slip, not a site to leave out. */
function namesUnknown({ plan }: PlanQuestion): Found[] {
  const unknown = (key: "systems" | "engines", named: (id: string) => unknown) =>
    (plan[key] ?? []).flatMap((id, i): Found[] => {
      try {
        named(id);
        return [];
      } catch (error) {
        if (!(error instanceof InvalidInputError)) throw error;
        return error.problems.map(({ at: _at, ...problem }) => ({ ...problem, path: ["plan", key, i] }));
      }
    });
  return [...unknown("systems", systemProfileNamed), ...unknown("engines", engineProfileNamed)];
}

function axesAside({ plan }: PlanQuestion): Found[] {
  const combinations = Object.values(plan.vary).reduce((product, { length }) => product * length, 1);
  return [
    ...Object.keys(plan.vary).flatMap((path): Found[] =>
      notVaried.some(
        (fixed) =>
          path === fixed ||
          path.startsWith(`${fixed}.`) ||
          path.startsWith(`${fixed}[`) ||
          fixed.startsWith(`${path}.`),
      )
        ? [
            {
              path: ["plan", "vary", path],
              expected: "a path to a choice such as engine.maxNumSeqs",
              found: path,
              hint: "layouts, replicas, systems and engines have axes of their own; model, traffic and SLOs are the question",
            },
          ]
        : [],
    ),
    ...(combinations > candidatesMax
      ? [
          {
            path: ["plan", "vary"],
            expected: `at most ${formatCount(candidatesMax)} combinations`,
            found: combinations,
          },
        ]
      : []),
  ];
}

function objectivesWithout({ scenario, plan, traffic }: PlanQuestion): Found[] {
  const lacking = (name: PlanQuestion["plan"]["objectives"][number]): Pick<Problem, "expected" | "found"> | null => {
    if (name === "goodput" && scenario.slo?.perRequest == null)
      return { expected: "limits in slo.perRequest for the objective goodput", found: "none" };
    if (name === "speed" && !traffic.requests.outputTokens.subarray(0, traffic.requests.count).some((n) => n > 1))
      return { expected: "outputs of several tokens for the objective speed", found: "outputs of one token" };
    if (name === "rate" && (traffic.ratePerSecond === null || rateSettings(scenario, 1) === null))
      return {
        expected: "arrivals with a rate for the objective rate",
        found: `arrivals of kind ${scenario.traffic.arrivals.kind}`,
      };
    if (name === "frontier" && scenario.traffic.kind === "sharedPrefix")
      return {
        expected: "traffic of any number of requests for the objective frontier",
        found: "traffic of kind sharedPrefix",
      };
    return null;
  };
  return plan.objectives.flatMap((name, i) => {
    const lack = lacking(name);
    return lack === null ? [] : [{ path: ["plan", "objectives", i], ...lack }];
  });
}
