// mocha's reports, one line of JSON a test: its name, outcome and message.
'use strict';
const { appendFileSync } = require('fs');

module.exports = function (runner) {
  const write = (outcome, test, error) => {
    const line = [test.fullTitle(), outcome, error ? String(error.message || error) : ''];
    appendFileSync(process.env.REPORT, JSON.stringify(line) + '\n');
  };
  runner.on('pass', (test) => write('passed', test));
  runner.on('fail', (test, error) => write('failed', test, error));
  runner.on('pending', (test) => write('skipped', test));
};
