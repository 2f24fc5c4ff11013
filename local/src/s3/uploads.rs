//! Uploads in parts.
//!
//! An upload is a folder: `upload` says what it will be, `<number>.part` says what part there is of
//! that number and in which file its bytes are. A part that is sent again brings a new file, so
//! that nobody who assembles the former ones loses them; the folder ends with the upload.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{
    AbortMultipartUploadInput, ChecksumAlgorithm, ChecksumType, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CompletedMultipartUpload, CompletedPart,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag, ListPartsInput, ListPartsOutput,
    Part, Timestamp, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Error, S3Request, S3Result, s3_error};
use serde::{Deserialize, Serialize};
use tempfile::{NamedTempFile, TempPath};
use uuid::Uuid;

use super::body::Incoming;
use super::checksum::{Algorithm, Checksum, claim, put_checksum, take_checksums};
use super::folder::{About, Folder, Headers, read_json};
use super::notifications::Reason;
use super::tags::Tags;
use super::{hex, only_new, refuse};

/// Every part but the last has at least this many bytes.
const SMALLEST_PART_BYTES: u64 = 5 * 1024 * 1024;
/// How many parts an answer lists at most.
const LISTED_PARTS: usize = 1000;

/// What an upload will be.
#[derive(Serialize, Deserialize)]
struct Upload {
    bucket: String,
    key: String,
    algorithm: Option<Algorithm>,
    /// Whether the object's checksum is to be one of all its bytes.
    full_object: bool,
    headers: Headers,
    tags: Tags,
}

/// What is known of a part.
#[derive(Serialize, Deserialize)]
struct Stored {
    file: String,
    size: u64,
    md5: [u8; 16],
    checksum: Option<Checksum>,
}

/// The folder of an upload that there is.
struct Place {
    folder: PathBuf,
    id: Uuid,
    upload: Upload,
}

pub(super) fn create(
    folder: &Folder,
    request: S3Request<CreateMultipartUploadInput>,
) -> S3Result<CreateMultipartUploadOutput> {
    let input = request.input;
    refuse(&[
        ("Expires", input.expires.is_some()),
        ("x-amz-website-redirect-location", input.website_redirect_location.is_some()),
    ])?;
    folder.path(&input.bucket, &input.key)?;
    let algorithm = input.checksum_algorithm.as_ref();
    let algorithm = algorithm.map(|name| Algorithm::parse(name.as_str())).transpose()?;
    let kind = input.checksum_type.as_ref().map(ChecksumType::as_str);
    let full_object = match (algorithm, kind) {
        (None, Some(_)) => {
            return Err(s3_error!(
                InvalidRequest,
                "The x-amz-checksum-type header can only be used with the \
                 x-amz-checksum-algorithm header."
            ));
        }
        (Some(Algorithm::Crc64Nvme), None) => true,
        (_, kind) => kind == Some(ChecksumType::FULL_OBJECT),
    };
    if let Some(algorithm) = algorithm {
        let fits = if full_object {
            algorithm.covers_full_objects()
        } else {
            algorithm != Algorithm::Crc64Nvme
        };
        if !fits {
            let (kind, name) = (kind_of(full_object), algorithm.name().to_ascii_lowercase());
            return Err(s3_error!(
                InvalidRequest,
                "The {} checksum type cannot be used with the {name} checksum algorithm.",
                kind.as_str()
            ));
        }
    }
    let upload = Upload {
        bucket: input.bucket.clone(),
        key: input.key.clone(),
        algorithm,
        full_object,
        headers: Headers {
            cache_control: input.cache_control,
            content_disposition: input.content_disposition,
            content_encoding: input.content_encoding,
            content_language: input.content_language,
            content_type: input.content_type,
            metadata: input.metadata,
        },
        tags: Tags::of_header(input.tagging.as_deref())?,
    };
    let id = Uuid::new_v4();
    let place = folder.uploads().join(id.to_string());
    fs::create_dir(&place).map_err(S3Error::internal_error)?;
    folder.write_json(&place.join("upload"), &upload)?;
    Ok(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id.to_string()),
        checksum_algorithm: algorithm.map(name_of),
        checksum_type: algorithm.map(|_| kind_of(full_object)),
        ..Default::default()
    })
}

pub(super) async fn put_part(
    folder: &Folder,
    request: S3Request<UploadPartInput>,
) -> S3Result<UploadPartOutput> {
    let mut input = request.input;
    if !(1..=10_000).contains(&input.part_number) {
        return Err(s3_error!(
            InvalidArgument,
            "Part number must be an integer between 1 and 10000, inclusive"
        ));
    }
    let place = Place::find(folder, &input.bucket, &input.key, &input.upload_id)?;
    let claim = claim(take_checksums!(input), &request.headers)?;
    let claimed = claim.as_ref().map(super::checksum::Claim::algorithm);
    let expected = place.upload.algorithm;
    // Where the object's checksum is one of all bytes, S3 computes what a part does not claim.
    let fits = claimed == expected || expected.is_none();
    if !fits && (claimed.is_some() || !place.upload.full_object) {
        let name = |it: Option<Algorithm>| it.map_or("null", Algorithm::name).to_ascii_lowercase();
        let (expected, claimed) = (name(expected), name(claimed));
        return Err(s3_error!(
            InvalidRequest,
            "Checksum Type mismatch occurred, expected checksum Type: {expected}, actual checksum \
             Type: {claimed}"
        ));
    }
    let incoming = Incoming {
        body: input.body,
        length: input.content_length,
        md5: input.content_md5,
        claim,
        otherwise: expected,
        trailers: request.trailing_headers,
    };
    let received = incoming.receive(&folder.unfinished()).await?;
    let file = Uuid::new_v4().to_string();
    // The upload may have ended meanwhile.
    received.file.persist(place.folder.join(&file)).map_err(|_| s3_error!(NoSuchUpload))?;
    let stored =
        Stored { file, size: received.size, md5: received.md5, checksum: received.checksum };
    let written = folder.write_json(&place.part(input.part_number), &stored);
    written.map_err(|_| s3_error!(NoSuchUpload))?;
    let mut output =
        UploadPartOutput { e_tag: Some(stored.e_tag()), ..UploadPartOutput::default() };
    put_checksum!(output, stored.checksum);
    Ok(output)
}

pub(super) fn list_parts(folder: &Folder, input: ListPartsInput) -> S3Result<ListPartsOutput> {
    let place = Place::find(folder, &input.bucket, &input.key, &input.upload_id)?;
    let marker = input.part_number_marker.unwrap_or(0);
    let most = input.max_parts.and_then(|most| usize::try_from(most).ok());
    let most = most.unwrap_or(LISTED_PARTS).min(LISTED_PARTS);
    let mut numbers: Vec<_> =
        place.part_numbers()?.into_iter().filter(|number| *number > marker).collect();
    numbers.sort_unstable();
    let truncated = numbers.len() > most;
    numbers.truncate(most);
    let mut parts = Vec::with_capacity(numbers.len());
    for number in &numbers {
        let path = place.part(*number);
        let written = fs::metadata(&path).and_then(|it| it.modified());
        let Some(stored) = read_json::<Stored>(&path)? else {
            return Err(s3_error!(NoSuchUpload));
        };
        let mut part = Part {
            e_tag: Some(stored.e_tag()),
            last_modified: written.ok().map(Timestamp::from),
            part_number: Some(*number),
            size: i64::try_from(stored.size).ok(),
            ..Part::default()
        };
        put_checksum!(part, stored.checksum);
        parts.push(part);
    }
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        checksum_algorithm: place.upload.algorithm.map(name_of),
        checksum_type: place.upload.algorithm.map(|_| kind_of(place.upload.full_object)),
        is_truncated: Some(truncated),
        max_parts: i32::try_from(most).ok(),
        next_part_number_marker: numbers.last().copied().filter(|_| truncated),
        part_number_marker: Some(marker),
        parts: Some(parts),
        ..Default::default()
    })
}

/// As the reference of `CompleteMultipartUpload` has it: an upload that has been completed is one
/// that does not exist (`NoSuchUpload`). That S3 sometimes answers a repeated request with 200
/// again is not documented, so nobody should depend on it.
pub(super) fn complete(
    folder: &Arc<Folder>,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<CompleteMultipartUploadOutput> {
    let mut input = request.input;
    refuse(&[("If-Match", input.if_match.is_some())])?;
    let only_new = only_new(input.if_none_match.as_ref())?;
    let place = Place::find(folder, &input.bucket, &input.key, &input.upload_id)?;
    let parts = place.choose(input.multipart_upload.take())?;
    let size: u64 = parts.iter().map(|part| part.size).sum();
    if input.mpu_object_size.is_some_and(|claimed| u64::try_from(claimed) != Ok(size)) {
        return Err(s3_error!(
            InvalidRequest,
            "The provided 'x-amz-mp-object-size' header does not match what was computed."
        ));
    }
    let checksum = place.upload.checksum(&parts);
    let full_object = place.upload.full_object;
    if input.checksum_type.as_ref().is_some_and(|claimed| *claimed != kind_of(full_object)) {
        return Err(s3_error!(
            BadDigest,
            "The checksum type is not that of CreateMultipartUpload."
        ));
    }
    for claimed in Checksum::among(take_checksums!(input)) {
        match &checksum {
            Some(computed) if computed.algorithm == claimed.algorithm => claimed.check(computed)?,
            _ => {
                return Err(s3_error!(
                    InvalidRequest,
                    "The upload was not created with this checksum algorithm."
                ));
            }
        }
    }
    if only_new && folder.find(&input.bucket, &input.key).is_ok() {
        return Err(s3_error!(PreconditionFailed));
    }
    let e_tag = e_tag_of(&parts);
    let about = About {
        e_tag: e_tag.clone(),
        checksum: checksum.clone(),
        headers: place.upload.headers.clone(),
        tags: place.upload.tags.clone(),
        parts: i32::try_from(parts.len()).ok(),
    };
    let mut output = CompleteMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        checksum_type: checksum.as_ref().map(|_| kind_of(full_object)),
        e_tag: Some(ETag::Strong(e_tag)),
        ..Default::default()
    };
    put_checksum!(output, checksum);
    // Goes on when the client does not wait for it, as in S3.
    let folder = Arc::clone(folder);
    let work =
        tokio::task::spawn_blocking(move || assemble(&folder, &place, &parts, &about, only_new));
    Ok(CompleteMultipartUploadOutput {
        // Spaces keep the connection alive meanwhile; an error stands in the body of the 200.
        future: Some(Box::pin(async move {
            work.await.map_err(S3Error::internal_error)??;
            Ok(output)
        })),
        ..Default::default()
    })
}

/// Makes the object and ends the upload.
fn assemble(
    folder: &Folder,
    place: &Place,
    parts: &[Stored],
    about: &About,
    only_new: bool,
) -> S3Result<()> {
    let bytes = place.join(parts, &folder.unfinished());
    let bytes = bytes.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => s3_error!(NoSuchUpload),
        _ => S3Error::internal_error(error),
    })?;
    let change = folder.change();
    // Another request may have completed or aborted it.
    if !place.folder.exists() {
        return Err(s3_error!(NoSuchUpload));
    }
    let (bucket, key) = (place.upload.bucket.as_str(), place.upload.key.as_str());
    change.publish(bytes, about, (bucket, key), only_new, Reason::CompleteMultipartUpload)?;
    let ended = change.end_upload(place.id);
    drop(change);
    remove(ended);
    Ok(())
}

pub(super) fn abort(folder: &Folder, input: &AbortMultipartUploadInput) -> S3Result<()> {
    let place = Place::find(folder, &input.bucket, &input.key, &input.upload_id)?;
    let ended = folder.change().end_upload(place.id);
    if ended.is_none() {
        return Err(s3_error!(NoSuchUpload));
    }
    remove(ended);
    Ok(())
}

fn remove(ended: Option<PathBuf>) {
    // What cannot be deleted now is deleted at the next start.
    let _ = ended.map(fs::remove_dir_all);
}

impl Place {
    fn find(folder: &Folder, bucket: &str, key: &str, id: &str) -> S3Result<Self> {
        let unknown = || {
            s3_error!(
                NoSuchUpload,
                "The specified multipart upload does not exist. The upload ID may be invalid, or \
                 the upload may have been aborted or completed."
            )
        };
        let id = Uuid::parse_str(id).map_err(|_| unknown())?;
        let place = folder.uploads().join(id.to_string());
        let upload: Option<Upload> = read_json(&place.join("upload"))?;
        let upload = upload.filter(|upload| upload.bucket == bucket && upload.key == key);
        Ok(Self { folder: place, id, upload: upload.ok_or_else(unknown)? })
    }

    fn part(&self, number: i32) -> PathBuf {
        self.folder.join(format!("{number}.part"))
    }

    fn part_numbers(&self) -> S3Result<Vec<i32>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(|_| s3_error!(NoSuchUpload))? {
            let name = entry.map_err(S3Error::internal_error)?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".part"));
            numbers.extend(number.and_then(|number| number.parse::<i32>().ok()));
        }
        Ok(numbers)
    }

    /// The parts that a request names, when each is as it says.
    fn choose(&self, named: Option<CompletedMultipartUpload>) -> S3Result<Vec<Stored>> {
        let named = named.and_then(|named| named.parts).unwrap_or_default();
        if named.is_empty() {
            return Err(s3_error!(MalformedXML, "You must specify at least one part"));
        }
        let mut parts = Vec::with_capacity(named.len());
        let mut former = 0;
        for part in named {
            let number = part.part_number.ok_or_else(|| s3_error!(MalformedXML))?;
            // With checksums there may be no gap: the reference of `CompletedPart`.
            if number <= former || (self.upload.algorithm.is_some() && number != former + 1) {
                return Err(s3_error!(
                    InvalidPartOrder,
                    "The list of parts was not in ascending order. Parts must be ordered by part \
                     number."
                ));
            }
            former = number;
            parts.push(self.choose_part(number, part)?);
        }
        let all_but_last = parts.split_last().map_or(&[][..], |(_, parts)| parts);
        if all_but_last.iter().any(|part| part.size < SMALLEST_PART_BYTES) {
            return Err(s3_error!(
                EntityTooSmall,
                "Your proposed upload is smaller than the minimum allowed size"
            ));
        }
        Ok(parts)
    }

    fn choose_part(&self, number: i32, mut named: CompletedPart) -> S3Result<Stored> {
        let invalid = || {
            s3_error!(
                InvalidPart,
                "One or more of the specified parts could not be found. The part may not have \
                 been uploaded, or the specified entity tag may not match the part's entity tag."
            )
        };
        let stored: Stored = read_json(&self.part(number))?.ok_or_else(invalid)?;
        let e_tag = named.e_tag.take().ok_or_else(|| s3_error!(MalformedXML))?;
        if e_tag != stored.e_tag() {
            return Err(invalid());
        }
        let claimed = Checksum::among(take_checksums!(named)).next();
        if let Some(claimed) = claimed {
            return if stored.checksum == Some(claimed) { Ok(stored) } else { Err(invalid()) };
        }
        match self.upload.algorithm {
            Some(algorithm) if !self.upload.full_object => {
                let name = algorithm.name().to_ascii_lowercase();
                Err(s3_error!(
                    InvalidRequest,
                    "The upload was created using a {name} checksum. The complete request must \
                     include the checksum for each part. It was missing for part {number} in the \
                     request."
                ))
            }
            // The upload named no checksum, but this part was sent with one.
            None if stored.checksum.is_some() => Err(invalid()),
            _ => Ok(stored),
        }
    }

    /// The bytes of the parts, one after the other. Linux copies them without this process.
    fn join(&self, parts: &[Stored], unfinished: &Path) -> io::Result<TempPath> {
        let whole = NamedTempFile::new_in(unfinished)?.into_temp_path();
        let mut target = OpenOptions::new().write(true).open(&whole)?;
        for part in parts {
            io::copy(&mut File::open(self.folder.join(&part.file))?, &mut target)?;
        }
        Ok(whole)
    }
}

impl Upload {
    /// The checksum of the object that these parts make.
    fn checksum(&self, parts: &[Stored]) -> Option<Checksum> {
        let parts: Option<Vec<_>> =
            parts.iter().map(|part| Some((part.checksum.as_ref()?, part.size))).collect();
        if self.full_object {
            self.algorithm?.of_full_object(&parts?)
        } else {
            self.algorithm?.of_parts(&parts?)
        }
    }
}

impl Stored {
    fn e_tag(&self) -> ETag {
        ETag::Strong(hex(&self.md5))
    }
}

/// The entity tag of an object in parts.
fn e_tag_of(parts: &[Stored]) -> String {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(&part.md5);
    }
    format!("{}-{}", hex(&md5.finalize()), parts.len())
}

fn name_of(algorithm: Algorithm) -> ChecksumAlgorithm {
    ChecksumAlgorithm::from_static(algorithm.name())
}

/// The name of a kind of checksum.
pub(super) fn kind_of(full_object: bool) -> ChecksumType {
    ChecksumType::from_static(if full_object {
        ChecksumType::FULL_OBJECT
    } else {
        ChecksumType::COMPOSITE
    })
}
