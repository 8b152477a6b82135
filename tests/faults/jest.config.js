const base = require('../../jest.config.js');

/** The long fault series is no part of `npm test`: its files end in `.faults.ts`. */
module.exports = {
  ...base,
  rootDir: '../..',
  testMatch: ['<rootDir>/tests/faults/**/*.faults.ts'],
  maxWorkers: 1,
};
