//! A fake server that speaks enough of the Redis protocol to send scripted replies.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// Starts a server that answers each command with the next line, except the greeting of the
/// client. The server closes the connection after the last line. Returns the address.
pub(crate) fn server(answers: &'static [&'static str]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // The client has disconnected.
            let _ = serve(stream, answers);
        }
    });
    url
}

fn serve(mut stream: TcpStream, answers: &[&str]) -> io::Result<()> {
    let mut commands = BufReader::new(stream.try_clone()?);
    let mut answers = answers.iter();
    loop {
        let greeting = command(&mut commands)?.starts_with(b"CLIENT");
        let answer = if greeting { Some(&"+OK") } else { answers.next() };
        let Some(answer) = answer else { return Ok(()) };
        stream.write_all(format!("{answer}\r\n").as_bytes())?;
    }
}

/// Returns the first word of the next command: an array of strings, each with a length prefix.
fn command(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let words = (0..number(from)?).map(|_| {
        let mut word = vec![0; number(from)? + 2];
        from.read_exact(&mut word)?;
        Ok(word)
    });
    let words: io::Result<Vec<_>> = words.collect();
    Ok(words?.swap_remove(0))
}

fn number(from: &mut impl BufRead) -> io::Result<usize> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    let digits = line.trim().get(1..).and_then(|digits| digits.parse().ok());
    digits.ok_or_else(|| io::ErrorKind::InvalidData.into())
}
