//! What EventBridge and Lambda do behind the functions that events and schedules call: every rule
//! and schedule of `template.yaml` is one here.
//!
//! - An event goes to each function that has a rule for it, each time as a task of its own.
//! - A function on a schedule is called at the start, at its rate, and within a second after the
//!   answer to a request that may have changed something, so that nobody waits a minute for what
//!   was just asked for. It runs once at a time. What is asked for meanwhile makes it run once more.
//! - An invocation that fails is repeated up to twice, as Lambda's asynchronous invocations are, but
//!   after less than a second. Then it is given up.
//!
//! Events are kept in memory. One that was not delivered when the process ended is lost: what it was
//! about, a schedule finds. Functions get the server's clock; rates and pauses are real time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use share_functions::ServedDirect;
use share_store::Clock;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout_at};

use crate::console::Origin;
use crate::event_bus::{ACCOUNT, Counter, Entered, Event, EventBus, Pattern, Published};
use crate::s3::MalwareScanner;

/// How long a request for scheduled functions waits for others, which share their run.
const PAUSE: Duration = Duration::from_secs(1);
/// Before an invocation is repeated. On AWS these are one and two minutes.
const RETRY_PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(500)];

/// The functions without routes by their names.
pub(crate) type DirectFunctions = BTreeMap<String, Arc<dyn ServedDirect>>;

/// Which events a function is called for.
#[derive(Clone)]
pub(crate) struct Rule {
    pub(crate) function: String,
    pub(crate) pattern: Pattern,
}

/// How often a function is called.
#[derive(Clone)]
pub(crate) struct Schedule {
    pub(crate) function: String,
    pub(crate) rate: Duration,
    pub(crate) by: Scheduler,
}

/// Whose schedule it is. Their events differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheduler {
    /// A rule of EventBridge, `Schedule` in the template.
    Rule,
    /// EventBridge Scheduler, `ScheduleV2` in the template.
    Scheduler,
}

/// What calls the functions.
pub(crate) struct Runner {
    pub(crate) functions: DirectFunctions,
    pub(crate) rules: Vec<Rule>,
    /// Gets every event, when there is one.
    pub(crate) malware_scanner: Option<MalwareScanner>,
    pub(crate) events: EventBus,
    pub(crate) clock: Clock,
    /// Whose the mails of jobs are: nothing says which request has led to them.
    pub(crate) origin: Origin,
}

/// The running jobs. When they are dropped, they end in the midst of what they do.
pub(crate) struct Jobs {
    schedules: Schedules,
    in_flight: Counter,
    waiting: Counter,
    stop: watch::Sender<Option<Instant>>,
    ended: JoinHandle<()>,
}

/// Has the scheduled functions called, ahead of their time.
#[derive(Clone)]
pub(crate) struct Schedules {
    asked: Vec<mpsc::UnboundedSender<Arc<Entered>>>,
    in_flight: Counter,
}

impl Schedules {
    /// Has each scheduled function run within a second.
    pub(crate) fn ask(&self) {
        let entered = Arc::new(self.in_flight.enter());
        for asked in &self.asked {
            // Fails only once the jobs have ended.
            let _ = asked.send(Arc::clone(&entered));
        }
    }
}

impl Jobs {
    /// Starts the runner, with what comes out of its bus, and calls the scheduled functions.
    pub(crate) fn start(
        runner: Runner,
        schedules: &[Schedule],
        published: mpsc::UnboundedReceiver<Published>,
    ) -> Self {
        let in_flight = runner.events.in_flight().clone();
        let waiting = Counter::default();
        let (stop, stopping) = watch::channel(None);
        let runner = Arc::new(runner);
        let mut tasks = JoinSet::new();
        let mut asked = Vec::new();
        for schedule in schedules {
            let (sender, requests) = mpsc::unbounded_channel();
            asked.push(sender);
            tasks.spawn(Arc::clone(&runner).keep(
                schedule.clone(),
                in_flight.enter(),
                requests,
                waiting.clone(),
                stopping.clone(),
            ));
        }
        let ended = tokio::spawn(runner.run(published, tasks, stopping));
        let schedules = Schedules { asked, in_flight: in_flight.clone() };
        Self { schedules, in_flight, waiting, stop, ended }
    }

    pub(crate) fn schedules(&self) -> &Schedules {
        &self.schedules
    }

    /// Returns when every event has been delivered and every scheduled function that was asked for
    /// has run. Those do not wait for others meanwhile.
    pub(crate) async fn until_idle(&self) {
        let _waiting = self.waiting.enter();
        self.in_flight.until_none().await;
    }

    /// Calls no scheduled function any more, delivers the events that there are, and returns when
    /// all functions have ended. At `deadline` they are stopped.
    pub(crate) async fn stop(self, deadline: Instant) {
        // Fails only when the runner has ended.
        let _ = self.stop.send(Some(deadline));
        let _ = self.ended.await;
    }
}

impl Runner {
    /// Delivers events until it is to stop. `tasks` are the schedules.
    async fn run(
        self: Arc<Self>,
        mut published: mpsc::UnboundedReceiver<Published>,
        mut tasks: JoinSet<()>,
        mut stopping: watch::Receiver<Option<Instant>>,
    ) {
        loop {
            tokio::select! {
                Some(event) = published.recv() => self.deliver(event, &mut tasks),
                Some(_) = tasks.join_next() => {}
                _ = stopping.changed() => break,
            }
        }
        // There is no deadline when the server was dropped.
        let deadline = stopping.borrow().unwrap_or_else(Instant::now);
        let rest = async {
            loop {
                while let Ok(event) = published.try_recv() {
                    self.deliver(event, &mut tasks);
                }
                if tasks.join_next().await.is_none() {
                    break;
                }
            }
        };
        if timeout_at(deadline, rest).await.is_err() {
            tasks.shutdown().await;
        }
    }

    /// Starts a task for each function that wants an event.
    fn deliver(
        self: &Arc<Self>,
        Published { event, in_flight }: Published,
        tasks: &mut JoinSet<()>,
    ) {
        let in_flight = Arc::new(in_flight);
        for rule in self.rules.iter().filter(|rule| rule.pattern.matches(&event)) {
            let (runner, function) = (Arc::clone(self), rule.function.clone());
            let (event, in_flight) = (event.clone(), Arc::clone(&in_flight));
            tasks.spawn(async move {
                runner.invoke(&function, &event).await;
                drop(in_flight);
            });
        }
        if let Some(scanner) = self.malware_scanner.clone() {
            let events = self.events.clone();
            tasks.spawn(async move {
                scanner.receive(&event, &events).await;
                drop(in_flight);
            });
        }
    }

    /// Invokes a function until it has done its work, or has failed three times.
    async fn invoke(&self, function: &str, event: &Map<String, Value>) {
        let Some(served) = self.functions.get(function) else { return };
        let mut pauses = RETRY_PAUSES.iter();
        while let Err(error) = self.origin.of(served.invoke(event.clone(), &self.clock)).await {
            let Some(pause) = pauses.next() else {
                tracing::error!(function, %error, "the function has failed three times");
                break;
            };
            tracing::warn!(function, %error, "the function has failed and is invoked again");
            sleep(*pause).await;
        }
    }

    /// Calls a function at its rate, the first time at once, and whenever that is asked for.
    async fn keep(
        self: Arc<Self>,
        schedule: Schedule,
        started: Entered,
        mut requests: mpsc::UnboundedReceiver<Arc<Entered>>,
        waiting: Counter,
        mut stopping: watch::Receiver<Option<Instant>>,
    ) {
        let mut ticks = interval(schedule.rate);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut in_flight = vec![Arc::new(started)];
        loop {
            tokio::select! {
                biased;
                _ = stopping.changed() => break,
                _ = ticks.tick() => in_flight.push(Arc::new(self.events.in_flight().enter())),
                Some(request) = requests.recv() => {
                    in_flight.push(request);
                    tokio::select! {
                        _ = stopping.changed() => break,
                        () = sleep(PAUSE) => {}
                        () = waiting.until_some() => {}
                    }
                }
            }
            // The run serves all who have asked by now.
            while let Ok(request) = requests.try_recv() {
                in_flight.push(request);
            }
            let event = self.events.envelope(schedule.event((self.clock)(), self.events.region()));
            self.invoke(&schedule.function, &event).await;
            in_flight.clear();
        }
    }
}

impl Schedule {
    fn event(&self, at: Timestamp, region: &str) -> Event {
        let function = &self.function;
        let (source, service, resource, detail) = match self.by {
            Scheduler::Rule => ("aws.events", "events", "rule", json!({})),
            Scheduler::Scheduler => ("aws.scheduler", "scheduler", "schedule/default", "{}".into()),
        };
        let resource = format!("arn:aws:{service}:{region}:{ACCOUNT}:{resource}/{function}");
        Event { at, source, detail_type: "Scheduled Event", resource, detail }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use share_runtime::NotDone;
    use std::pin::Pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::Semaphore;

    const HOUR: Duration = Duration::from_hours(1);

    /// A function that tells of its invocations, and may wait or fail first.
    struct Stub {
        events: mpsc::UnboundedSender<Map<String, Value>>,
        /// How many invocations still fail.
        failures: AtomicUsize,
        /// An invocation ends when it gets one of these.
        permits: Semaphore,
    }

    impl ServedDirect for Stub {
        fn invoke<'a>(
            &'a self,
            event: Map<String, Value>,
            _: &'a Clock,
        ) -> Pin<Box<dyn Future<Output = Result<Value, NotDone>> + Send + 'a>> {
            Box::pin(async move {
                let _ = self.events.send(event);
                self.permits.acquire().await.unwrap().forget();
                let failures = self.failures.load(Ordering::Relaxed);
                if failures > 0 {
                    self.failures.store(failures - 1, Ordering::Relaxed);
                    return Err(NotDone::because("of the test"));
                }
                Ok(Value::Null)
            })
        }
    }

    struct World {
        jobs: Jobs,
        events: EventBus,
        stub: Arc<Stub>,
        invocations: mpsc::UnboundedReceiver<Map<String, Value>>,
    }

    impl World {
        fn start(failures: usize, permits: usize, rates: &[Duration]) -> Self {
            let (sender, invocations) = mpsc::unbounded_channel();
            let (failures, permits) = (AtomicUsize::new(failures), Semaphore::new(permits));
            let stub = Arc::new(Stub { events: sender, failures, permits });
            let clock: Clock = Arc::new(|| Timestamp::UNIX_EPOCH);
            let (events, published) = EventBus::new(Arc::clone(&clock), "us-east-1".to_owned());
            let served: Arc<dyn ServedDirect> = Arc::clone(&stub) as _;
            let pattern = Pattern::parse(&json!({ "source": ["aws.s3"] })).unwrap();
            let rule = Rule { function: "Stub".to_owned(), pattern };
            let runner = Runner {
                functions: BTreeMap::from([("Stub".to_owned(), served)]),
                rules: vec![rule],
                malware_scanner: None,
                events: events.clone(),
                clock,
                origin: Origin::Elsewhere,
            };
            let schedules = rates.iter().map(|rate| Schedule {
                function: "Stub".to_owned(),
                rate: *rate,
                by: Scheduler::Rule,
            });
            let jobs = Jobs::start(runner, &schedules.collect::<Vec<_>>(), published);
            Self { jobs, events, stub, invocations }
        }

        fn publish(&self, source: &'static str) {
            let (at, resource) = (Timestamp::UNIX_EPOCH, String::new());
            let detail = Value::Null;
            self.events.publish(Event { at, source, detail_type: "Test", resource, detail });
        }

        /// How often the function has been invoked since it was asked last.
        fn invoked(&mut self) -> usize {
            std::iter::from_fn(|| self.invocations.try_recv().ok()).count()
        }
    }

    #[tokio::test]
    async fn an_event_goes_to_the_function_whose_pattern_it_matches() {
        let mut world = World::start(0, 9, &[]);
        world.publish("aws.s3");
        world.publish("aws.other");
        world.jobs.until_idle().await;
        let event = world.invocations.try_recv().unwrap();
        assert_eq!(
            (&event["source"], &event["time"]),
            (&json!("aws.s3"), &json!("1970-01-01T00:00:00Z"))
        );
        assert_eq!(world.invoked(), 0, "the other event is no concern of it");
    }

    #[tokio::test]
    async fn an_invocation_that_fails_is_repeated_twice_and_no_more() {
        for (failures, invocations) in [(0, 1), (1, 2), (2, 3), (3, 3)] {
            let mut world = World::start(failures, 9, &[]);
            world.publish("aws.s3");
            world.jobs.until_idle().await;
            assert_eq!(world.invoked(), invocations, "after {failures} failures");
        }
    }

    #[tokio::test]
    async fn a_scheduled_function_is_called_at_the_start_and_again_at_its_rate() {
        let mut world = World::start(0, 9, &[Duration::from_millis(1)]);
        for _ in 0..3 {
            let event = world.invocations.recv().await.unwrap();
            assert_eq!(event["detail-type"], "Scheduled Event");
        }
    }

    #[tokio::test]
    async fn what_is_asked_for_while_a_scheduled_function_runs_makes_it_run_once_more() {
        let mut world = World::start(0, 0, &[HOUR]);
        world.invocations.recv().await.unwrap();
        for _ in 0..3 {
            world.jobs.schedules().ask();
        }
        assert_eq!(world.invoked(), 0, "not while it runs");
        world.stub.permits.add_permits(9);
        world.jobs.until_idle().await;
        assert_eq!(world.invoked(), 1);
        world.jobs.until_idle().await;
        assert_eq!(world.invoked(), 0, "not without being asked");
    }

    #[tokio::test]
    async fn stopped_jobs_end_what_they_do_and_start_nothing_more() {
        let mut world = World::start(0, 0, &[HOUR]);
        world.invocations.recv().await.unwrap();
        world.publish("aws.s3");
        world.jobs.schedules().ask();
        world.stub.permits.add_permits(9);
        let schedules = world.jobs.schedules().clone();
        world.jobs.stop(Instant::now() + HOUR).await;
        assert_eq!(world.invocations.try_recv().unwrap()["source"], "aws.s3");
        schedules.ask();
        drop(world.events);
        drop(world.stub);
        assert!(world.invocations.recv().await.is_none(), "nobody can invoke it any more");
    }

    #[tokio::test]
    async fn jobs_that_do_not_end_are_stopped_at_the_deadline_and_when_the_server_is_dropped() {
        for with_deadline in [true, false] {
            let mut world = World::start(0, 0, &[HOUR]);
            world.publish("aws.s3");
            for _ in 0..2 {
                world.invocations.recv().await.unwrap();
            }
            if with_deadline {
                world.jobs.stop(Instant::now()).await;
            } else {
                drop(world.jobs);
            }
            drop(world.stub);
            assert!(world.invocations.recv().await.is_none(), "{with_deadline}");
        }
    }
}
