//! A client: connects, sends a line, prints the line that comes back, and gives up when that takes too long.
//!
//!     cargo run --example client -- localhost 7000 hello

use ae::{Connection, EventLoop, Next};
use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

const TIME_LIMIT: Duration = Duration::from_secs(5);

/// One question, and what has become of it.
struct Request {
    el: EventLoop,
    /// What has not been sent yet.
    question: RefCell<Vec<u8>>,
    answer: RefCell<Vec<u8>>,
    outcome: RefCell<Option<io::Result<()>>>,
}

impl Request {
    /// Ends the request if this was the end of it.
    fn check(&self, step: io::Result<bool>) {
        if let Some(outcome) = step.map(|done| done.then_some(())).transpose() {
            self.outcome.replace(Some(outcome));
            self.el.stop();
        }
    }

    /// Sends what the socket takes; never the end of the request.
    fn send(&self, conn: &Connection) -> io::Result<bool> {
        let mut question = self.question.borrow_mut();
        while !question.is_empty() {
            match conn.write(&question) {
                Ok(count) => drop(question.drain(..count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        conn.set_write_handler(None)?;
        Ok(false)
    }

    /// Reads what there is; true when the answer is complete.
    fn receive(&self, conn: &Connection) -> io::Result<bool> {
        let mut buffer = [0; 4096];
        match conn.read(&mut buffer) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                let mut answer = self.answer.borrow_mut();
                answer.extend_from_slice(&buffer[..count]);
                Ok(answer.contains(&b'\n'))
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Goes on once it is known whether there is a connection.
    fn connected(self: Rc<Self>, conn: &Connection, result: io::Result<()>) -> io::Result<bool> {
        result?;
        let (reader, writer) = (self.clone(), self);
        conn.set_read_handler(Some(Rc::new(move |conn| reader.check(reader.receive(conn)))))?;
        conn.set_write_handler(Some(Rc::new(move |conn| writer.check(writer.send(conn)))))?;
        Ok(false)
    }
}

/// The answer to a line of text.
fn ask(host: &str, port: u16, text: &str) -> io::Result<Vec<u8>> {
    let el = EventLoop::new(64)?;
    let request = Rc::new(Request {
        el: el.clone(),
        question: RefCell::new(format!("{text}\n").into_bytes()),
        answer: RefCell::default(),
        outcome: RefCell::default(),
    });
    let connecting = request.clone();
    // The connection is closed when this function ends, and with it the handlers that own the request.
    let _conn = Connection::connect_tcp(&el, host, port, move |conn, result| {
        connecting.check(connecting.clone().connected(conn, result));
    })?;
    el.add_timer(TIME_LIMIT, |el| {
        el.stop();
        Next::Stop
    })?;
    el.run()?;
    request.outcome.take().unwrap_or(Err(ErrorKind::TimedOut.into()))?;
    Ok(request.answer.take())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [host, port, text] = &arguments[..] else {
        eprintln!("usage: client HOST PORT TEXT");
        return ExitCode::from(2);
    };
    let Ok(port) = port.parse() else {
        eprintln!("client: not a port: {port}");
        return ExitCode::from(2);
    };
    match ask(host, port, text) {
        Ok(answer) => {
            print!("{}", String::from_utf8_lossy(&answer));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("client: {host}, port {port}: {error}");
            ExitCode::FAILURE
        }
    }
}
