//! A download by a link, with a lease that this program brings.
//!
//! Before the first byte it keeps link and lease in a file that this user alone can read. So the
//! same command continues after a crash: with the same lease, from the chunks that are there on.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::stream::{FuturesUnordered, TryStreamExt};
use indicatif::ProgressBar;
use reqwest::Response;
use reqwest::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_RANGE, HeaderName, IF_RANGE, RANGE};
use rustix::fs::OFlags;
use share_contract::{DownloadDetails, FileLocation, operations};
use share_model::{ContentDigest, DigestProgress};

use crate::api::{Api, checked, json, now};
use crate::failure::{AtPath, Failure, Status, unexpected};
use crate::folders::exists;
use crate::output::plain;
use crate::transfers::journal::{Journal, Place};
use crate::transfers::progress::{Progress, remark};
use crate::transfers::retry::{Attempts, retried};

/// The header of a lease.
const LEASE: HeaderName = HeaderName::from_static("download-lease");

/// Bytes that are fetched, and noted as fetched, at once.
const CHUNK: u64 = 16 * 1024 * 1024;

/// How many chunks are on their way at once, when the bytes come from S3.
const CHUNKS: usize = 4;

/// Seconds before its end at which an address of S3 is not used any more.
const MARGIN: i64 = 10;

/// What a link leads to. Redeems nothing.
pub(crate) async fn details(api: &Api, token: &str) -> Result<DownloadDetails, Failure> {
    let request = api.request(&operations::DOWNLOAD_SHOW).query("token", Some(token));
    request.header(ACCEPT, "application/json").send().await
}

/// Asks for the bytes from `begin` on, which redeems the link or resumes its lease. The answer is the
/// bytes, or says where S3 has all of them.
async fn ask(api: &Api, journal: &Journal, begin: u64) -> Result<Response, Failure> {
    let request = api.request(&operations::FILE_DOWNLOAD).query("token", Some(&journal.token));
    let request = request.header(LEASE, &journal.lease);
    let request = request
        .header(RANGE, &format!("bytes={begin}-"))
        .header(IF_RANGE, &format!("\"{}\"", journal.sha256.hex()));
    request.header(ACCEPT, "application/json").answer().await
}

/// Asks for the bytes for the first time, and notes where they come from.
async fn first_answer(
    api: &Api,
    place: &Place,
    journal: &mut Journal,
    progress: &Progress,
) -> Result<Response, Failure> {
    let answer = retried(progress, async || ask(api, journal, 0).await).await?;
    journal.presigned = Some(!answer.headers().contains_key(CONTENT_DISPOSITION));
    place.write(journal)?;
    Ok(answer)
}

/// The address of S3 that the answer names, and when it ends.
async fn located(answer: Response) -> Result<(String, i64), Failure> {
    let FileLocation { url, expires_in } = json(answer).await?;
    Ok((url, now().saturating_add(i64::try_from(expires_in).unwrap_or(i64::MAX))))
}

/// Fetches what is missing, checks the whole, and gives it its name.
pub(crate) async fn fetch(
    api: &Api,
    place: &Place,
    journal: &mut Journal,
    progress: &Progress,
) -> Result<(), Failure> {
    let part = journal.part();
    if !part.exists() && has_its_name(journal).await? {
        return place.forget();
    }
    let chunks = Chunks::open(place, journal, &part)?;
    let bar = progress.bytes(journal.filename.as_str(), journal.size, chunks.bytes());
    let first = match journal.presigned {
        Some(_) => None,
        None => Some(first_answer(api, place, journal, progress).await?),
    };
    let fetching =
        Fetching { api, progress, journal, chunks: &chunks, bar: &bar, location: None.into() };
    let digest = fetching.run(first).await?;
    if digest != journal.sha256 {
        // The lease lives on: the next attempt fetches all bytes with it.
        chunks.reset(place)?;
        let message = format!("{} has not arrived as it is", journal.filename.as_str());
        return Err(Failure::new(Status::Failed, message).advise("Give the same command again."));
    }
    // A power cut must not leave an empty file of a link that is used up.
    chunks.file.sync_all().at(&part)?;
    // What has the name is what was checked.
    let named = fs::symlink_metadata(&part).at(&part)?;
    let checked = chunks.file.metadata().at(&part)?;
    if (named.dev(), named.ino()) != (checked.dev(), checked.ino()) {
        return Err(Failure::file(&part, "has been replaced by another file meanwhile"));
    }
    keep(&part, &journal.target)?;
    bar.finish_and_clear();
    place.forget()
}

/// Whether a run before this one was killed after it had given the file its name.
async fn has_its_name(journal: &Journal) -> Result<bool, Failure> {
    let Journal { target, size, sha256, .. } = journal.clone();
    let Ok(mut file) = File::open(&target) else { return Ok(false) };
    let compare = move || -> io::Result<bool> {
        if file.metadata()?.len() != size {
            return Ok(false);
        }
        let mut progress = DigestProgress::default();
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let length = file.read(&mut buffer)?;
            let Some(read @ [_, ..]) = buffer.get(..length) else { break };
            progress.add(read);
        }
        Ok(progress.finish() == sha256)
    };
    let same = tokio::task::spawn_blocking(compare).await;
    same.map_err(|error| unexpected("Reading", error))?.at(&journal.target)
}

/// Gives the file its name, unless another file has it: in one step, so that nothing is overwritten.
fn keep(part: &Path, target: &Path) -> Result<(), Failure> {
    let part = tempfile::TempPath::try_from_path(part).at(part)?;
    part.persist_noclobber(target).map_err(|error| {
        // It must not be deleted.
        let kept = error.path.keep();
        match error.error.kind() {
            io::ErrorKind::AlreadyExists => exists(target),
            _ => kept.err().map_or_else(
                || Failure::local(target, &error.error),
                |lost| Failure::local(target, &lost.error),
            ),
        }
    })
}

/// Which chunks of the file are there.
struct Chunks {
    file: File,
    size: u64,
    noted: Mutex<File>,
    /// Those of earlier runs, and of this one.
    there: Mutex<BTreeSet<u32>>,
    path: PathBuf,
}

impl Chunks {
    fn open(place: &Place, journal: &Journal, part: &Path) -> Result<Self, Failure> {
        let path = place.chunks();
        let begun = fs::read(&path).unwrap_or_default();
        let mut options = OpenOptions::new();
        options.read(true).write(true).mode(0o600);
        // A link that somebody has put there meanwhile would lead the bytes elsewhere.
        options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
        let file = match options.open(part) {
            Ok(file) if path.exists() => file,
            Ok(_) => return Err(exists(part)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Somebody has deleted it, or it never was. The numbers are there before it, so that one
                // without numbers is never ours.
                let mut noted = OpenOptions::new();
                noted.create(true).truncate(true).write(true).mode(0o600).open(&path).at(&path)?;
                options.create_new(true).open(part).at(part)?
            }
            Err(error) => return Err(Failure::local(part, &error)),
        };
        let mut noted = OpenOptions::new();
        let noted = noted.create(true).append(true).mode(0o600).open(&path).at(&path)?;
        let length = file.metadata().at(part)?.len();
        if length > journal.size {
            file.set_len(journal.size).at(part)?;
        }
        let numbers = begun.chunks_exact(4).filter_map(|it| it.try_into().ok());
        let numbers = numbers.map(u32::from_le_bytes);
        // What somebody has cut off is fetched again.
        let there = numbers.filter(|it| journal.size.min((u64::from(*it) + 1) * CHUNK) <= length);
        let there = there.collect();
        Ok(Self { file, size: journal.size, noted: noted.into(), there: Mutex::new(there), path })
    }

    fn count(&self) -> u32 {
        u32::try_from(self.size.div_ceil(CHUNK)).unwrap_or(u32::MAX)
    }

    fn place(&self, number: u32) -> (u64, u64) {
        let offset = u64::from(number) * CHUNK;
        (offset, CHUNK.min(self.size - offset))
    }

    fn there(&self) -> BTreeSet<u32> {
        self.there.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// The first chunk that is missing.
    fn next(&self) -> u32 {
        let there = self.there.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        (0..)
            .zip(there.iter())
            .take_while(|(expected, it)| expected == *it)
            .count()
            .try_into()
            .unwrap_or(u32::MAX)
    }

    fn length(&self, part: &Path) -> Result<u64, Failure> {
        Ok(self.file.metadata().at(part)?.len())
    }

    fn bytes(&self) -> u64 {
        self.there().into_iter().map(|number| self.place(number).1).sum()
    }

    fn note(&self, number: u32) -> Result<(), Failure> {
        let mut noted = self.noted.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        noted.write_all(&number.to_le_bytes()).at(&self.path)?;
        self.there.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(number);
        Ok(())
    }

    fn reset(&self, place: &Place) -> Result<(), Failure> {
        let path = place.chunks();
        self.file.set_len(0).and_then(|()| fs::write(&path, b"")).at(&path)
    }
}

/// A download under way.
struct Fetching<'a> {
    api: &'a Api,
    progress: &'a Progress,
    journal: &'a Journal,
    chunks: &'a Chunks,
    bar: &'a ProgressBar,
    /// Where S3 has the bytes, and until when.
    location: tokio::sync::Mutex<Option<(String, i64)>>,
}

impl Fetching<'_> {
    /// Fetches what is missing, and answers with the digest of the whole.
    async fn run(&self, first: Option<Response>) -> Result<ContentDigest, Failure> {
        let (tell, told) = std::sync::mpsc::channel();
        for number in self.chunks.there() {
            let _ = tell.send(number);
        }
        let file = self.chunks.file.try_clone().at(&self.journal.part())?;
        let (size, count, part) = (self.chunks.size, self.chunks.count(), self.journal.part());
        let hashing =
            tokio::task::spawn_blocking(move || hash(&file, size, count, &told).at(&part));
        if self.journal.presigned == Some(true) {
            if let Some(answer) = first {
                *self.location.lock().await = Some(located(answer).await?);
            }
            self.fetch_from_s3(&tell).await?;
        } else {
            self.fetch_stream(first, &tell).await?;
        }
        drop(tell);
        hashing.await.map_err(|error| unexpected("Reading", error))?
    }

    /// From the service itself: one answer after the other, each from the first missing byte on.
    async fn fetch_stream(
        &self,
        mut first: Option<Response>,
        tell: &std::sync::mpsc::Sender<u32>,
    ) -> Result<(), Failure> {
        let mut attempts = Attempts::new(self.progress);
        // The bytes come in their order, so the file is as long as what is there.
        let mut at = self.chunks.length(&self.journal.part())?;
        let mut next = self.chunks.next();
        self.note_until(at, &mut next, tell)?;
        while at < self.journal.size {
            let before = at;
            self.bar.set_position(at);
            let streamed = self.stream_from(first.take(), &mut at, &mut next, tell);
            let Err(failure) = streamed.await else { continue };
            if at > before {
                attempts.succeeded();
            }
            remark(self.bar, self.journal.filename.as_str(), "waiting for the service");
            attempts.wait(failure).await?;
            self.bar.set_message(plain(self.journal.filename.as_str()));
        }
        Ok(())
    }

    async fn stream_from(
        &self,
        first: Option<Response>,
        at: &mut u64,
        next: &mut u32,
        tell: &std::sync::mpsc::Sender<u32>,
    ) -> Result<(), Failure> {
        let begin = *at;
        let mut answer = match first {
            Some(answer) => answer,
            None => ask(self.api, self.journal, begin).await?,
        };
        let range = answer.headers().get(CONTENT_RANGE).and_then(|it| it.to_str().ok());
        if begin > 0 && !range.is_some_and(|it| it.starts_with(&format!("bytes {begin}-"))) {
            return Err(Failure::new(Status::Failed, "The service sends another file than before"));
        }
        while let Some(bytes) = answer.chunk().await.map_err(Failure::unreachable)? {
            self.write(&bytes, *at)?;
            *at += bytes.len() as u64;
            self.note_until(*at, next, tell)?;
        }
        if *at < self.journal.size {
            return Err(Failure::new(Status::Unavailable, "The download was cut"));
        }
        Ok(())
    }

    /// Notes the chunks from `next` on of which every byte is there, up to `at`.
    fn note_until(
        &self,
        at: u64,
        next: &mut u32,
        tell: &std::sync::mpsc::Sender<u32>,
    ) -> Result<(), Failure> {
        while *next < self.chunks.count() {
            let (begin, size) = self.chunks.place(*next);
            if at < begin + size {
                break;
            }
            self.chunks.note(*next)?;
            let _ = tell.send(*next);
            *next += 1;
        }
        Ok(())
    }

    /// From S3: several chunks at once.
    async fn fetch_from_s3(&self, tell: &std::sync::mpsc::Sender<u32>) -> Result<(), Failure> {
        let there = self.chunks.there();
        let missing: Vec<u32> = (0..self.chunks.count()).filter(|it| !there.contains(it)).collect();
        let next = AtomicU64::new(0);
        let worker = async || -> Result<(), Failure> {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let index = usize::try_from(index).unwrap_or(usize::MAX);
                let Some(number) = missing.get(index) else { return Ok(()) };
                self.fetch_chunk(*number).await?;
                let _ = tell.send(*number);
            }
        };
        let workers: FuturesUnordered<_> = (0..CHUNKS).map(|_| worker()).collect();
        workers.try_collect::<Vec<()>>().await.map(drop)
    }

    async fn fetch_chunk(&self, number: u32) -> Result<(), Failure> {
        let (offset, size) = self.chunks.place(number);
        let mut attempts = Attempts::new(self.progress);
        loop {
            let mut at = offset;
            let failure = match self.chunk_from_s3(offset, size, &mut at).await {
                Ok(()) => return self.chunks.note(number),
                Err(failure) => failure,
            };
            self.bar.set_position(self.bar.position().saturating_sub(at - offset));
            let failure = match failure.status {
                // The address has ended.
                Status::NotAllowed if failure.problem.is_none() => {
                    *self.location.lock().await = None;
                    Failure { status: Status::Unavailable, ..failure }
                }
                _ => failure,
            };
            attempts.wait(failure).await?;
        }
    }

    async fn chunk_from_s3(&self, offset: u64, size: u64, at: &mut u64) -> Result<(), Failure> {
        let url = self.location().await?;
        let range = format!("bytes={offset}-{}", offset + size - 1);
        let request = self.api.http().get(self.api.elsewhere(&url)?).header(RANGE, range);
        let mut answer = checked(request.send().await).await?;
        if answer.status() != http::StatusCode::PARTIAL_CONTENT {
            return Err(Failure::new(Status::Failed, "S3 does not send a part of the file"));
        }
        while let Some(bytes) = answer.chunk().await.map_err(Failure::unreachable)? {
            if *at + bytes.len() as u64 > offset + size {
                return Err(Failure::new(Status::Failed, "S3 sends more than was asked for"));
            }
            self.write(&bytes, *at)?;
            *at += bytes.len() as u64;
        }
        if *at < offset + size {
            return Err(Failure::new(Status::Unavailable, "The download was cut"));
        }
        Ok(())
    }

    /// An address of S3 that is good for a moment. To ask for one redeems the link, or resumes.
    async fn location(&self) -> Result<String, Failure> {
        let mut location = self.location.lock().await;
        if let Some((url, ends)) = &*location
            && *ends - MARGIN > now()
        {
            return Ok(url.clone());
        }
        let (url, ends) = located(ask(self.api, self.journal, 0).await?).await?;
        *location = Some((url.clone(), ends));
        Ok(url)
    }

    fn write(&self, bytes: &[u8], at: u64) -> Result<(), Failure> {
        if at + bytes.len() as u64 > self.journal.size {
            return Err(Failure::new(Status::Failed, "The service sends more than the file has"));
        }
        let written = tokio::task::block_in_place(|| self.chunks.file.write_all_at(bytes, at));
        written.at(&self.journal.part())?;
        self.bar.inc(bytes.len() as u64);
        Ok(())
    }
}

/// The digest of the file, made from the chunks as they come, while others are on their way.
fn hash(
    file: &File,
    size: u64,
    count: u32,
    told: &std::sync::mpsc::Receiver<u32>,
) -> io::Result<ContentDigest> {
    let mut progress = DigestProgress::default();
    let mut there = BTreeSet::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut next = 0;
    while next < count {
        while !there.remove(&next) {
            // The download has failed, and says why.
            let Ok(number) = told.recv() else { return Ok(progress.finish()) };
            there.insert(number);
        }
        let end = size.min(u64::from(next + 1) * CHUNK);
        while progress.bytes() < end {
            let left = usize::try_from(end - progress.bytes()).unwrap_or(usize::MAX);
            let length = left.min(buffer.len());
            let (chunk, _) = buffer.split_at_mut(length);
            file.read_exact_at(chunk, progress.bytes())?;
            progress.add(chunk);
        }
        next += 1;
    }
    Ok(progress.finish())
}
