import { PlanwrightError } from '../../../plan/errors';
import { defineCommand } from '../command';
import { EXIT } from '../exit-codes';
import { type Deleted, deletedText, filesOnDisk } from '../show/deleted-text';

/** Plans that have nothing left to do. One that was rolled back can be applied again, so it stays. */
const FINISHED = ['completed', 'archived'];

export const command = defineCommand<null>({
  about:
    'Deletes all plans that are completed or archived; see `planwright plan delete`. Files that they wrote stay.\n' +
    'To remove the files of a plan, use `planwright clean <plan>`.',
  examples: ['planwright plan clean'],
  parse: () => null,
  async run(context) {
    const { io, show } = context;
    const client = await context.client();
    const finished = (await client.list()).filter(({ status }) => FINISHED.includes(status));
    const deleted: Deleted[] = [];
    const failed: { id: string; reason: string }[] = [];
    for (const { id } of finished) {
      try {
        const { view } = await client.show(id);
        await client.delete(id, io.user());
        deleted.push({ id, files: filesOnDisk(view) });
      } catch (error) {
        // One that began to run meanwhile stays, and the rest goes on.
        if (!(error instanceof PlanwrightError)) throw error;
        failed.push({ id, reason: error.message });
      }
    }
    const ids = deleted.map(({ id }) => id);
    show.document({ deleted: ids, failed }, () =>
      deleted.length > 0 ? deletedText(deleted) : 'No plan is completed or archived: nothing was deleted.\n',
    );
    show.demand(failed.map(({ id, reason }) => `${show.style.bad('✗')} ${id} stays: ${reason}`));
    show.next(['planwright plan list']);
    return failed.length > 0 ? EXIT.failed : EXIT.done;
  },
});
