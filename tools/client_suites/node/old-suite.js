// What ioredis 2's tests expect of the machine and of the Node of their time: a server at port 6379, fixed ports for
// servers of their own, and a host that nothing answers at.
'use strict';
const net = require('net');

global.GLOBAL = global;

const ports = { 6379: Number(process.env.REDIS_PORT) };
const { createConnection } = net;
net.createConnection = net.connect = function (options, ...rest) {
  if (options && options.port) {
    options = { ...options, port: ports[options.port] || options.port };
    if (options.host === '192.0.0.0') options.host = process.env.HOLE;
  }
  return createConnection.call(this, options, ...rest);
};

const { listen } = net.Server.prototype;
net.Server.prototype.listen = function (port, ...rest) {
  listen.call(this, 0, ...rest);
  ports[port] = this.address().port;
  return this;
};
