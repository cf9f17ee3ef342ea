"""Opening of a recording that is to be written, in any format."""

from pathlib import Path

from zb_mom_ww_mxgateway.recordings.columns import Format
from zb_mom_ww_mxgateway_console.recordings.recording_file import RecordingFile
from zb_mom_ww_mxgateway_console.recordings.text_files import continue_, create
from zb_mom_ww_mxgateway_console.recordings.text_recording import TextRecording


def open_recording(path: Path, form: Format, *, append: bool, raw: bool = False) -> RecordingFile:
    """Open a new recording, or with `append` one that may be there; `raw` as in ``csv_record``.

    Raises MxGatewayArgumentError where it cannot be written, where it is there and `append` is False, and with
    `append` where it is no recording of this format; MxGatewayMissingExtraError where Parquet needs the extra.
    """
    if form == "parquet":
        from zb_mom_ww_mxgateway_console.recordings.parquet_recording import ParquetRecording  # Lazy: few need it.

        return ParquetRecording.open(path, append=append)
    file = continue_(path, form, raw=raw) if append else create(path, form)
    return TextRecording(path, file, form, raw=raw, is_new=not append)
