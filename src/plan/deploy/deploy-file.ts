/** A file of a deployment. */
export interface DeployFile {
  /** Name in the folder of the deployment. */
  readonly path: string;
  readonly text: string;
  readonly executable?: boolean;
}
