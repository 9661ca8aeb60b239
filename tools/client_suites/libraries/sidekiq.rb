# Jobs of Sidekiq, which fetches scheduled ones and those that are tried again by a script. `ruby sidekiq.rb enqueue`
# asks for them; those that work tell so in the list "done".
require 'sidekiq'

Sidekiq.configure_server { |config| config.options[:poll_interval_average] = 0.2 } if Sidekiq.server?

class Job
  include Sidekiq::Worker
  sidekiq_options retry: 3
  sidekiq_retry_in { 0 }

  def perform(what)
    tries = Sidekiq.redis { |redis| redis.incr("tries #{what}") }
    raise 'not yet' if what == 'at last' && tries < 2
    Sidekiq.redis { |redis| redis.rpush('done', what) }
  end
end

if ARGV == ['enqueue']
  20.times { |number| Job.perform_async("now #{number}") }
  Job.perform_in(1, 'late')
  Job.perform_async('at last')
  Sidekiq::Client.push('class' => Job, 'args' => ['urgent'], 'queue' => 'default')
end
