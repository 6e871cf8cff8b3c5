/** Mean time in system of an M/M/1 queue: service mean over 1 - rho. Also M/G/1 under processor sharing. */
export function singleServerExponential(serviceMean: number, rho: number): number {
  return serviceMean / (1 - rho);
}

/**
 * Mean time in system of an M/G/1 queue served in order of arrival (Pollaczek-Khinchine): E[S] + lambda E[S^2] /
 * (2 (1 - rho)), with E[S^2] = E[S]^2 (1 + c^2) for squared coefficient of variation c^2.
 */
export function singleServerGeneral(serviceMean: number, squaredVariation: number, rho: number): number {
  return serviceMean * (1 + (rho * (1 + squaredVariation)) / (2 * (1 - rho)));
}

/** Mean time in system of an M/M/c queue: E[S] + C(c, a) / (c mu - lambda), with the Erlang C formula for C. */
export function manyServersExponential(serviceMean: number, servers: number, rho: number): number {
  const offered = servers * rho;
  let term = 1;
  let sum = 0;
  for (let k = 0; k < servers; k++) {
    sum += term;
    term *= offered / (k + 1);
  }
  const allBusy = term / (1 - rho);
  const waiting = allBusy / (sum + allBusy);
  return serviceMean + (waiting * serviceMean) / (servers * (1 - rho));
}

/**
 * Mean time in system of an M/G/1 queue whose server does endless background work in chunks of one length whenever the
 * queue is empty (multiple vacations; Levy and Yechiali 1975): `alone` without them, and half a chunk.
 */
export function behindChunks(alone: number, chunk: number): number {
  return alone + chunk / 2;
}
