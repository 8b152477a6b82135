/**
 * A plan stays with the release of the worker that its execution began on, and moves to the one in force where it
 * continues as new. It does so at the next quiet point once it hears of a newer release: from the server, with any of
 * its workflow tasks, or by the Signal `upgrade`, which also wakes a plan that waits for weeks.
 */
import { workflowInfo } from '@temporalio/workflow';

/** The release that is carrying this execution out; empty where workers are not versioned: they have a build, but no deployment. */
function release(): string {
  const version = workflowInfo().currentDeploymentVersion;
  return version?.deploymentName ? `${version.deploymentName}.${version.buildId}` : '';
}

export class Upgrade {
  private asked = false;

  /** @param left the release that the execution before this one wanted to leave, where it did */
  constructor(private readonly left: string | undefined) {}

  /** The Signal `upgrade` came. Without versioned workers there is nothing to move to. */
  ask(): void {
    this.asked = release() !== '';
  }

  /**
   * True where the plan should continue as new on another release. A server that names a newer one and then starts the
   * next execution on the old one again is not believed twice: the plan would do nothing else any more.
   */
  wanted(): boolean {
    if (this.asked) return true;
    return workflowInfo().targetWorkerDeploymentVersionChanged === true && release() !== this.left;
  }

  /** For continue-as-new: on the release in force, where workers are versioned. */
  options(): { initialVersioningBehavior?: 'AUTO_UPGRADE' } {
    return release() === '' ? {} : { initialVersioningBehavior: 'AUTO_UPGRADE' };
  }

  /** What the next execution has to know: the release that this one leaves. */
  leaving(): string | undefined {
    return this.wanted() ? release() : undefined;
  }
}
